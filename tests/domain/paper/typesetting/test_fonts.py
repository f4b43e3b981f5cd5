import errno
import os
from pathlib import Path
from typing import Any

import pytest

from engage.base.languages import LANGUAGES
from engage.domain.paper.typesetting import fonts
from engage.domain.paper.typesetting.fonts import MissingFont, load_faces
from tests.domain.paper.sample import own_faces


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_language_has_regular_and_bold_faces(language: str) -> None:
    own = own_faces(language)
    assert {face.weight for face in own.regular} == {"Regular"}
    assert {face.weight for face in own.bold} == {"Bold"}
    assert own.regular[0].family == LANGUAGES[language].fonts[0]
    assert own.regular[-1].family == "Noto Sans"


def test_no_font_folder_depends_on_the_current_directory() -> None:
    assert [root for root in fonts.ROOTS if not root.is_absolute()] == []


def test_a_font_folder_that_cannot_be_entered_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, stat = tmp_path / "closed", os.stat

    def refusing(path: Any, *args: Any, **options: Any) -> os.stat_result:
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, *args, **options)

    for face in (*own_faces("en").regular, *own_faces("en").bold):
        (tmp_path / face.path.name).symlink_to(face.path)
    monkeypatch.setattr(fonts, "ROOTS", (closed, tmp_path))
    monkeypatch.setattr(os, "stat", refusing)
    find_files = fonts._font_files.__wrapped__  # without the cache, which holds the system's fonts
    assert sorted(find_files(None)) == ["NotoSans-Bold", "NotoSans-Regular"]


def test_a_missing_font_is_refused_by_language_font_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(MissingFont, match=r"ar: .*Noto Naskh Arabic Regular.*fonts-noto-core.*ENGAGE_FONT_DIR"):
        load_faces("ar", ["Noto Naskh Arabic"], tmp_path)
    with pytest.raises(MissingFont, match=r"zh-Hans: .*Noto Sans CJK SC.*fonts-noto-cjk"):
        load_faces("zh-Hans", ["Noto Sans CJK SC"], tmp_path)


def test_a_folder_replaces_the_system_fonts(tmp_path: Path) -> None:
    for face in (*own_faces("en").regular, *own_faces("en").bold):
        (tmp_path / face.path.name).symlink_to(face.path)
    found = load_faces("en", ["Noto Sans"], tmp_path)
    assert {face.path.parent for face in found.regular} == {tmp_path}
    assert found.digest == own_faces("en").digest


def test_the_digest_tells_fonts_apart() -> None:
    assert len({own_faces(tag).digest for tag in ("en", "ar", "zh-Hans")}) == 3


def test_the_chinese_face_of_the_collection_is_chosen() -> None:
    assert own_faces("zh-Hans").regular[0].postscript == "NotoSansCJKsc-Regular"
