"""The check of every page detects each fault, and passes a valid page."""

import pytest

from tests.hygiene import check, read

PAGE = """<!doctype html>
<html lang="en" dir="ltr"><head><meta charset="utf-8"><title>Title</title></head>
<body><main><h1>Heading</h1>{}</main></body></html>"""


@pytest.mark.parametrize(
    "inside",
    [
        "<p>Fish &amp; chips &lt; 3</p>",
        '<label for="f-a">Name</label><input id="f-a" name="a" value="1 &quot;2&quot;" disabled>',
        '<a href="https://example.org/">Elsewhere</a>',
        '<svg viewBox="0 0 1 1" role="img" aria-label="A bar"><rect width="1" height="1"/></svg>',
        '<script type="application/json">{"a": "<b>"}</script>',
        "<!-- <b> --><table><tr><th>A</th></tr></table>",
    ],
)
def test_a_good_page_passes(inside):
    check(read(PAGE.format(inside)))


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<p>a < b</p>", "not escaped"),
        ("<p>an <b>unclosed tag</p>", "closes <b>"),
        ("<p>never closed", "closes <p>"),
        ("<P>upper case</P>", "not escaped"),
        ("<p class=bare>x</p>", "not escaped"),
        ('<p title="a>b">x</p>', "not escaped"),
        ('<p id="a" id="b">twice</p>', "repeats itself"),
        ('<p id="a"></p><p id="a"></p>', "ids used twice"),
        ('<p style="color: red">x</p>', "content policy"),
        ('<p onclick="x()">x</p>', "content policy"),
        ("<script>x()</script>", "inline"),
        ('<img src="//example.org/x.png" alt="">', "third party"),
        ('<a href=" javascript:x()">x</a>', "javascript:"),
        ('<img src="/x.png">', "without words"),
        ('<input name="a">', "without a label"),
        ('<label for="b">x</label><input id="a" name="a">', "points to nothing"),
        ('<a href="#gone">x</a>', "not on the page"),
        ('<a href="/x"></a>', "without words"),
        ("<table><tr><td>x</td></tr></table>", "without headings"),
        ("<h3>skips a level</h3>", "level is skipped"),
        ("<h1>Another</h1>", "one h1"),
        (
            '<label><input type="radio" name="a">A</label><label><input type="radio" name="a">B</label>',
            "choices without a question",
        ),
        ('<p lang="xx">x</p>', "a language"),
        ('<div id="problems">x</div>', "title does not say so"),
    ],
)
def test_what_a_page_must_not_have_is_found(inside, why):
    with pytest.raises(AssertionError, match=why):
        check(read(PAGE.format(inside)))
