"""Requirements for every page, on any screen and with a screen reader. Each page that a visitor opens is checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import pairwise

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SILENT = {"script", "style", "template", "title", "head"}
REFERENCES = {"for", "aria-describedby", "aria-labelledby", "aria-controls"}
ADDRESSES = {"src", "href", "action", "formaction"}
NO_LABEL_NEEDED = {"hidden", "submit", "button", "image", "reset"}


@dataclass(eq=False)
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = field(default=None, repr=False)  # a failed test that names an element must not show a page
    inside: list[Element | str] = field(default_factory=list, repr=False)
    _elements: list[Element] | None = field(default=None, repr=False)  # all descendants, computed on first use

    def all(self, *tags: str) -> Iterator[Element]:
        """Yield every descendant in order, optionally with these tags only."""
        return iter([one for one in self._below() if one.tag in tags] if tags else self._below())

    def _below(self) -> list[Element]:
        if self._elements is None:
            self._elements = []
            for one in self.inside:
                if isinstance(one, Element):
                    self._elements += [one, *one._below()]
        return self._elements

    def within(self, *tags: str) -> Element | None:
        """Return the nearest ancestor with one of these tags."""
        around = self.parent
        while around is not None and around.tag not in tags:
            around = around.parent
        return around

    @property
    def text(self) -> str:
        """The text that a person sees, with single spaces."""
        return " ".join(self._words().split())

    def _words(self) -> str:
        seen = (one for one in self.inside if isinstance(one, str) or one.tag not in SILENT)
        return "".join(one if isinstance(one, str) else one._words() for one in seen)

    def get(self, name: str) -> str | None:
        """Return an attribute's value."""
        return self.attributes.get(name)


TAG = r"""<(?P<end>/?)(?P<name>[a-z][a-z0-9-]*)(?P<rest>(?:\s+[^\s"'<>/=]+(?:="[^"<>]*")?)*)\s*(?P<alone>/?)>"""
MARKUP = re.compile(rf"<!--.*?-->|<!doctype html>|{TAG}", re.S)
ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:="([^"<>]*)")?""")
RAW = {"script", "style"}  # their content is not HTML


class _Reader:
    """Builds a tree of elements. Raises AssertionError if tags do not nest or do not follow the site's style: tags and
    attributes in lowercase, values in double quotes, < and > only around tags."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.top = self.here = Element("", {})

    def read(self) -> Element:
        """Return the whole page."""
        at = 0
        for found in MARKUP.finditer(self.html):
            if self.here.tag in RAW and found["name"] != self.here.tag:
                continue
            self._words(at, found.start())
            at = found.end()
            if found["name"] is not None:
                self._tag(found)
        self._words(at, len(self.html))
        assert self.here is self.top, f"<{self.here.tag}> is never closed"
        return self.top

    def _words(self, start: int, end: int) -> None:
        words = self.html[start:end]
        if words and self.here.tag not in RAW:
            assert "<" not in words, f"no tag, and not escaped, {self._line(start)}: {words[words.index('<') :][:80]!r}"
            words = unescape(words)
        if words:
            self.here.inside.append(words)

    def _tag(self, found: re.Match[str]) -> None:
        tag = found["name"]
        if found["end"]:
            assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}> {self._line(found.start())}"
            assert self.here.parent is not None
            self.here = self.here.parent
            return
        pairs = ATTRIBUTE.findall(found["rest"])
        attributes = {name: unescape(value) if "&" in value else value for name, value in pairs}
        assert len(pairs) == len(attributes), f"<{tag}> says {pairs} and repeats itself"
        element = Element(tag, attributes, self.here)
        self.here.inside.append(element)
        if tag not in VOID and not found["alone"]:
            self.here = element

    def _line(self, at: int) -> str:
        return f"at line {self.html.count(chr(10), 0, at) + 1}"


def read(html: str) -> Element:
    """Parse a page into a tree."""
    return _Reader(html).read()


def check(page: Element) -> None:
    """Fail, naming the place, if a page violates a requirement."""
    _head(page)
    _names(page)
    fields = _Fields(page)
    for one in page.all("input", "select", "textarea"):
        _labelled(fields, one)
    for one in page.all("button", "a"):
        assert one.text or one.get("aria-label") or list(one.all("img", "svg")), f"a <{one.tag}> without words"
    for one in page.all("img"):
        assert "alt" in one.attributes, f"a picture without words: {one.get('src')}"
    for one in page.all("table"):
        assert list(one.all("th")), "a table without headings"
    _problems(page)
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
    tags = {one.attributes["lang"] for one in page.all() if "lang" in one.attributes}
    assert tags <= LANGUAGES.keys(), f"a language we do not ship: {tags - LANGUAGES.keys()}"


def _names(page: Element) -> None:
    named = [one.attributes["id"] for one in page.all() if "id" in one.attributes]
    ids = set(named)
    assert len(ids) == len(named), f"ids used twice: {sorted(one for one in ids if named.count(one) > 1)}"
    for one in page.all():
        for name in REFERENCES & one.attributes.keys():
            for target in one.attributes[name].split():
                assert target in ids, f"<{one.tag} {name}={target!r}> points to nothing"
    for link in page.all("a"):
        if (link.get("href") or "").startswith("#") and link.get("href") != "#":
            assert link.attributes["href"][1:] in ids, f"a link to {link.get('href')}, which is not on the page"


class _Fields:
    """The labels of a page by the field they are for, its elements by id, and the number of choices with the same
    name."""

    def __init__(self, page: Element) -> None:
        self.labels: dict[str, str] = {}
        for label in page.all("label"):
            for_id = label.get("for") or ""
            self.labels[for_id] = self.labels.get(for_id, "") + label.text
        self.by_id = {one.attributes["id"]: one for one in page.all() if "id" in one.attributes}
        self.choices = Counter((one.get("name"), one.get("type")) for one in page.all("input"))


def _labelled(fields: _Fields, one: Element) -> None:
    kind = one.get("type") or "text"
    if one.tag == "input" and kind in NO_LABEL_NEEDED:
        return
    label = one.within("label")
    words = label.text if label else ""
    words += fields.labels.get(one.get("id") or "-", "")
    words += one.get("aria-label") or ""
    named = (one.get("aria-labelledby") or "").split()
    words += "".join(fields.by_id[each].text for each in named if each in fields.by_id)
    assert words, f"a field without a label: {one.attributes}"
    if one.tag == "input" and kind in ("radio", "checkbox"):
        group = one.within("fieldset")
        legend = next(group.all("legend"), None) if group else None
        assert fields.choices[one.get("name"), one.get("type")] == 1 or (legend and legend.text), (
            f"choices without a question: {one.get('name')}"
        )


def _problems(page: Element) -> None:
    """A page for families that shows errors says so in the title, which screen readers read first."""
    for_staff = "staff" in (next(page.all("body")).get("class") or "").split()
    if for_staff or all(one.get("id") != "problems" for one in page.all("div")):
        return
    sentence = catalogue(next(page.all("html")).attributes["lang"]).gettext("Please check: %(title)s")
    title = next(page.all("title")).inside[0]
    before = sentence.partition("%(title)s")[0]
    assert str(title).strip().startswith(before), f"errors, and the title does not say so: {title!r}"


def _own(page: Element) -> None:
    for one in page.all():
        if one.tag in RAW:
            assert one.get("src") or one.get("type") == "application/json", f"an inline <{one.tag}>"
        for name, value in one.attributes.items():
            assert name != "style", f"<{one.tag} style>: the content policy refuses it"
            assert not name.startswith("on"), f"<{one.tag} {name}>: the content policy refuses it"
            if name in ADDRESSES:
                elsewhere = one.tag != "a" and re.match(r"(?i)(https?:)?//", value)
                assert not elsewhere, f"a third party: <{one.tag} {name}={value!r}>"
                assert not re.match(r"(?i)\s*javascript:", value), f"<{one.tag} {name}={value!r}>"
