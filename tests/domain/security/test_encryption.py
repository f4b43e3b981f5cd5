"""Encrypted data is useless without a key, and survives a rotation of keys."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.base.config import Settings
from engage.domain.security.encryption import KeyProblem, SealBroken, Sealer, derive_key, key_file, load_keys, new_key

OLD, NEW = new_key(), new_key()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_as_it_was(text: str) -> None:
    sealer = Sealer([OLD])
    assert sealer.open(sealer.seal(text)) == text


def test_the_same_text_is_never_sealed_alike() -> None:
    sealer = Sealer([OLD])
    assert len({sealer.seal("ana@example.org") for _ in range(50)}) == 50


def test_every_changed_byte_is_noticed() -> None:
    sealed = Sealer([OLD]).seal("ana@example.org")
    for place in range(len(sealed) - 4):  # the last byte has several representations in base64
        changed = sealed[:place] + bytes([sealed[place] ^ 2]) + sealed[place + 1 :]
        with pytest.raises(SealBroken):
            Sealer([OLD]).open(changed)
    for broken in (b"", b"x", sealed[:-4], sealed[4:], "é".encode()):
        with pytest.raises(SealBroken):
            Sealer([OLD]).open(broken)


def test_an_older_key_opens_and_the_newest_seals() -> None:
    sealed = Sealer([OLD]).seal("ana@example.org")
    both = Sealer([NEW, OLD])
    assert both.open(sealed) == "ana@example.org"
    assert not both.newest(sealed)
    again = both.reseal(sealed)
    assert both.newest(again)
    assert Sealer([NEW]).open(again) == "ana@example.org"
    assert both.reseal(again) is again, "nothing to do a second time"


def test_without_the_key_nothing_opens() -> None:
    sealed = Sealer([OLD]).seal("ana@example.org")
    for deed in (Sealer([NEW]).open, Sealer([NEW]).reseal):
        with pytest.raises(SealBroken):
            deed(sealed)


@pytest.mark.parametrize("wrong", [[], ["short"], [OLD, "é" * 44], [OLD[:-1]]])
def test_a_key_that_is_none_is_named(wrong: list[str]) -> None:
    with pytest.raises(KeyProblem, match="key"):
        Sealer(wrong)


def test_the_file_of_keys_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    first = load_keys(settings)
    assert load_keys(settings) == first
    assert key_file(settings).stat().st_mode & 0o077 == 0
    assert load_keys(replace(settings, sealing_keys=f"{NEW} {OLD}")) == [NEW, OLD]


def test_a_site_at_work_follows_the_file_of_keys(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    sealer, path = Sealer.of(settings), key_file(settings)
    before = sealer.seal("ana@example.org")
    [old] = load_keys(settings)
    path.write_text(f"{NEW}\n{old}\n")
    assert sealer.open(before) == "ana@example.org"
    assert Sealer([NEW]).open(sealer.seal("ana@example.org")) == "ana@example.org"
    os.unlink(path)
    assert sealer.open(before) == "ana@example.org", "keys that were read are not forgotten"
    path.write_text(f"{NEW}\n")
    with pytest.raises(SealBroken):
        sealer.open(before)


def test_a_secret_gives_each_purpose_its_own_key() -> None:
    assert derive_key(b"secret", "audit") == derive_key(b"secret", "audit")
    assert len({derive_key(b"secret", "audit"), derive_key(b"secret", "codes"), derive_key(b"other", "audit")}) == 3
