"""A small packet in three languages for families with names in several scripts, and output files with faults."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import Layout
from engage.domain.paper.pdf.page_stream import FilledCopy, PacketWriter
from tests.domain.paper.sample import a_question, a_survey, laid_out, own_faces

DIGEST = "0a1b2c3d" + 56 * "0"
COVER = Cover("Riverbend", phone="code", reply=True, answers="riverbend.example/a", outside="window")
NAMES = {
    "en": ("Family O'Brien-Smith", "Family Ławniczak"),
    "ar": ("عائلة الحداد", "Family Haddad (سليم)"),
    "zh-Hans": ("王小明的家人", "Gia đình Nguyễn Thị Hồng"),
}


@dataclass(frozen=True)
class Copy:
    """One form of the packet; `first` is its first page in the file, from 0."""

    language: str
    serial: str
    name: str
    number: int
    first: int

    @property
    def filled(self) -> FilledCopy:
        places = {
            "serial": self.serial,
            "reply": self.reply,
            "code": self.code,
            "link": f"riverbend.example/{self.code}",
        }
        return FilledCopy(self.serial, DIGEST, {**places, "to": (self.name, "Room 12")}, self.phone)

    @property
    def reply(self) -> str:
        return f"4821 0093 5512 {self.number:04d}"

    @property
    def code(self) -> str:
        return f"K7W2-MX{self.number:02d}"

    @property
    def phone(self) -> str:
        return f"https://riverbend.example/{self.code}"


def sheet(language: str, pages: int = 0) -> Layout:
    """A cover and one page of questions. With `pages`, only this number of pages."""
    made = laid_out(a_survey(a_question("one", language=language, choices=3), language=language), language, COVER)
    return replace(made, pages=made.pages[:pages]) if pages else made


def copies(each: int = 2, pages: int = 2) -> Iterator[Copy]:
    number = 0
    for language, names in NAMES.items():
        for name in (names * each)[:each]:
            yield Copy(language, f"AB{number // 36}-X{number % 36:02d}", name, number, number * pages)
            number += 1


def packet(out: BinaryIO, each: int = 2) -> list[Copy]:
    """Write a packet with a bookmark for every language and every form."""
    writer = PacketWriter(out, "Learning at home – Riverbend", "Riverbend", "en", "letter")
    kinds = {
        language: writer.template(sheet(language), own_faces(language), names) for language, names in NAMES.items()
    }
    sets = list(copies(each))
    for copy in sets:
        if copy.number % each == 0:
            writer.bookmark(f"({copy.language}) é", 0)
        writer.bookmark(copy.name, 1)
        assert writer.add(kinds[copy.language], copy.filled) == 2
    writer.close()
    return sets


class Pipe:
    """An output that supports only writing, at most `most` bytes at a time."""

    def __init__(self, most: int = 1 << 40) -> None:
        self.most, self.got = most, b""

    def write(self, data: bytes) -> int:
        taken = bytes(data[: self.most])
        self.got += taken
        return len(taken)


class FullDisk(Pipe):
    """An output that accepts a number of bytes and then fails."""

    def __init__(self, room: int, error: OSError) -> None:
        super().__init__()
        self.room, self.error = room, error

    def write(self, data: bytes) -> int:
        if len(self.got) + len(data) > self.room:
            raise self.error
        return super().write(data)


def written(each: int = 2) -> tuple[bytes, list[Copy]]:
    out = BytesIO()
    sets = packet(out, each)
    return out.getvalue(), sets


if __name__ == "__main__":  # for the test that two runs are equal
    import hashlib

    print(hashlib.sha256(written()[0]).hexdigest())
