"""What every page owes to whoever reads it, on any screen or by ear. Each page a visitor opens is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

from engage.languages import LANGUAGES

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SILENT = {"script", "style", "template", "title", "head"}
NO_LABEL_NEEDED = {"hidden", "submit", "button", "image", "reset"}


@dataclass(eq=False)
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    inside: list[Element | str] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator[Element]:
        """Every element below, in order; of these tags, where any are named."""
        for one in self.inside:
            if isinstance(one, Element):
                if not tags or one.tag in tags:
                    yield one
                yield from one.all(*tags)

    def within(self, *tags: str) -> Element | None:
        """The nearest element around this one with one of these tags."""
        around = self.parent
        while around is not None and around.tag not in tags:
            around = around.parent
        return around

    @property
    def text(self) -> str:
        """The words a person sees, with single spaces."""
        return " ".join(self._words().split())

    def _words(self) -> str:
        seen = (one for one in self.inside if isinstance(one, str) or one.tag not in SILENT)
        return "".join(one if isinstance(one, str) else one._words() for one in seen)

    def get(self, name: str) -> str | None:
        """An attribute's value."""
        return self.attributes.get(name)


class _Reader(HTMLParser):
    """A tree of elements; raises AssertionError where tags do not nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = self.here = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says {names} and repeats itself"
        element = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}> at line {self.getpos()[0]}"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.inside.append(data)


def read(html: str) -> Element:
    """The page as a tree."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.here is reader.top, f"<{reader.here.tag}> is never closed"
    return reader.top


def check(page: Element) -> None:
    """Fail, saying where, when a page owes something to its reader."""
    _head(page)
    _names(page)
    for one in page.all("input", "select", "textarea"):
        _labelled(page, one)
    for one in page.all("button", "a"):
        assert one.text or one.get("aria-label") or list(one.all("img", "svg")), f"a <{one.tag}> without words"
    for one in page.all("img"):
        assert "alt" in one.attributes, f"a picture without words: {one.get('src')}"
    for one in page.all("table"):
        assert list(one.all("th")), "a table without headings"
    _own(page)


def _head(page: Element) -> None:
    html = next(page.all("html"))
    tag = html.get("lang") or ""
    assert tag in LANGUAGES, f"the page says it is in {tag!r}"
    assert html.get("dir") == LANGUAGES[tag].direction, f"{tag} is written {LANGUAGES[tag].direction}"
    titles = ["".join(filter(lambda o: isinstance(o, str), t.inside)) for t in page.all("title") if not t.within("svg")]
    assert len(titles) == 1
    assert titles[0].strip(" –\n"), "a page without a title"
    headings = [heading.text for heading in page.all("h1")]
    assert len(headings) == 1, f"one h1, not {headings}"
    assert headings[0], "an empty h1"
    assert len(list(page.all("main"))) == 1
    levels = [int(heading.tag[1]) for heading in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert all(after <= before + 1 for before, after in pairwise(levels)), f"a heading level is skipped: {levels}"
    assert all(one.get("lang") in LANGUAGES for one in page.all() if "lang" in one.attributes)


def _names(page: Element) -> None:
    ids = [one.attributes["id"] for one in page.all() if "id" in one.attributes]
    doubled = {one for one in ids if ids.count(one) > 1}
    assert not doubled, f"ids used twice: {doubled}"
    for one in page.all():
        for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
            for target in (one.get(name) or "").split():
                assert target in ids, f"<{one.tag} {name}={target!r}> points to nothing"
    for link in page.all("a"):
        if (link.get("href") or "").startswith("#") and link.get("href") != "#":
            assert link.attributes["href"][1:] in ids, f"a link to {link.get('href')}, which is not on the page"


def _labelled(page: Element, one: Element) -> None:
    kind = one.get("type") or "text"
    if one.tag == "input" and kind in NO_LABEL_NEEDED:
        return
    label = one.within("label")
    words = label.text if label else ""
    words += "".join(each.text for each in page.all("label") if one.get("id") and each.get("for") == one.get("id"))
    words += one.get("aria-label") or ""
    named = (one.get("aria-labelledby") or "").split()
    words += "".join(each.text for each in page.all() if each.get("id") in named)
    assert words, f"a field without a label: {one.attributes}"
    if one.tag == "input" and kind in ("radio", "checkbox"):
        alike = [each for each in page.all("input") if each.get("name") == one.get("name") and each.get("type") == kind]
        group = one.within("fieldset")
        legend = next(group.all("legend"), None) if group else None
        assert len(alike) == 1 or (legend and legend.text), f"choices without a question: {one.get('name')}"


def _own(page: Element) -> None:
    for one in page.all():
        assert "style" not in one.attributes, f"<{one.tag} style>: the content policy refuses it"
        handlers = [name for name in one.attributes if name.startswith("on")]
        assert not handlers, f"<{one.tag} {handlers}>: the content policy refuses it"
        if one.tag in ("script", "style"):
            assert one.get("src") or one.get("type") == "application/json", f"an inline <{one.tag}>"
        for name in ("src", "href", "action", "formaction"):
            value = one.get(name) or ""
            if one.tag != "a":
                assert not re.match(r"(?i)(https?:)?//", value), f"a third party: <{one.tag} {name}={value!r}>"
            assert not re.match(r"(?i)\s*javascript:", value), f"<{one.tag} {name}={value!r}>"
