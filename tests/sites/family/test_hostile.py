"""Invalid and malicious requests get a friendly message, and typed text is not lost."""

import json

import pytest

from engage.storage.models.conversations import Message
from engage.storage.models.responses import Response
from tests.people import Family

STRANGE = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "textarea": "</textarea><script>alert(1)</script>",
    "formula": '=HYPERLINK("http://evil.example")',
    "template": "{{ 7*7 }}${7*7}%(x)s",
    "jinja": "{% include '/etc/passwd' %}",
    "sql": "'; drop table responses; --",
    "bidi": "abc\u202edcba\u2066x\u2069",
    "controls": "a\x00b\x07c\x1b[31md",
    "surrogate escape": "\\ud800",
    "rtl": "متى تبدأ المدرسة؟",
    "emoji": "👩‍👩‍👧‍👦 ❤️",
    "newlines": "a\r\nb\rc\u2028d",
    "path": "../../etc/passwd",
    "long": "x" * 4000,
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_text_is_data_wherever_it_is_shown(family, small, stored, text):
    family.begins(small).walks({"question": text, "children": "1", "child.1.grade": text[:150]})
    assert "<script>alert" not in family.response.text
    assert "onerror=alert" not in family.response.text.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    family.opens("/en/w/fall/6").opens("/en/w/fall/2").opens("/en/w/fall/check").sends_answers()
    [message] = stored(Message)
    assert not set("\x00\x07\x1b\u202e\u2066\r") & set(message.text)
    assert "drop table" not in message.text or message.text == text
    json.loads(stored(Response)[0].answers)


WRONG = {
    "children": [
        ("five", "whole number"),
        ("1.5", "whole number"),
        ("-1", "0 or a larger"),
        ("99", "4 or a smaller"),
    ],
    "internet": [("maybe", "one of the answers shown"), (["yes", "no"], "one answer only")],
    "where": [
        (["library", "nowhere"], "“Nowhere” and something else"),
        (["~dont_know", "library"], "keep one of the two"),
    ],
}


@pytest.mark.parametrize(("field", "value", "words"), [(f, v, w) for f, rows in WRONG.items() for v, w in rows])
def test_a_wrong_value_is_explained_and_kept(family, small, field, value, words):
    family.begins(small).answers({field: value}).sees("Please check this again", words)
    assert family.path == "/en/w/fall/1"
    summary = next(one for one in family.page.all("div") if one.get("id") == "problems")
    assert [link.get("href") for link in summary.all("a")] == [f"#f-{field}"]
    if field == "children":
        assert family.field("children") == value
    family.opens("/en/w/fall/check").sees(words)
    family.sends(button="Send my answers").sees("Please check this again")
    assert family.path == "/en/w/fall/check"


def test_a_wrong_value_in_another_language_is_still_there(family, small):
    family.begins(small).answers(children="five").speaks("es")
    assert family.language == "es"
    assert family.field("children") == "five"
    assert any(one.get("id") == "problems" for one in family.page.all("div"))


def test_a_text_that_is_too_long_comes_back_whole(family, small):
    family.begins(small).answers().answers(moved="yesterday", question="y" * 4321)
    family.sees("321 characters too long", "year, the month and the day")
    assert family.field("question") == "y" * 4321
    assert family.field("moved") == "yesterday"


def test_far_too_much_is_refused_and_nothing_kept_is_lost(family, small, drafted):
    family.begins(small).answers(children="2")
    before = drafted(family)
    for data in ({f"field{n}": "x" for n in range(10_000)}, {"internet": ["yes"] * 100}):
        answer = family.client.post("/en/w/fall/1", data=data)
        assert answer.status_code == 413
        assert "Please make your text shorter" in answer.text
    for length in (20_001, 1_000_000):
        answer = family.client.post("/en/w/fall/6", data={"question": "y" * length})
        assert answer.status_code == 413
        assert "y" * length in answer.text, "what was typed stays on the page"
        assert "too long" in answer.text
    assert family.client.post("/en/w/fall/1", data={"question": "x" * 2_000_000}).status_code == 413
    assert drafted(family) == before


def test_unknown_fields_and_slots_are_left_out(family, small, drafted):
    family.begins(small)
    data = {"children": "1", "child.9.grade": "x", "__proto__": "x", "~seen": "9", "evil": "1", "child.1.grade": "y"}
    family.client.post("/en/w/fall/1", data=data)
    assert drafted(family) == {"children": ["1"], "~seen": ["1"]}


FILE = b"--x\r\nContent-Disposition: form-data; name=internet; filename=a\r\n\r\nyes\r\n--x--"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"internet":"yes"}', "application/json"),
        (b"\xff\xfe\xfd=%ff%fe&internet=yes", "application/x-www-form-urlencoded"),
        (FILE, "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"&&&===%%%", "application/x-www-form-urlencoded"),
        (b"internet=yes", "text/plain; charset=nonsense"),
    ],
)
def test_strange_bodies_never_break_a_page(family, small, body, kind):
    family.begins(small)
    for path in ("/en/w/fall/1", "/en/w/fall/check", "/en/w/fall", "/en/c", "/en/reply", "/en/w/fall/thanks"):
        answer = family.client.post(path, data=body, content_type=kind)
        assert answer.status_code < 500, path


@pytest.mark.parametrize(
    "path", ["/en/w/%00", "/en/w/..%2f..", "/en/c/%F0%9F%98%80", "/en/w/fall/-1", "/en/w/fall/1e9", "/%65n/x"]
)
def test_strange_addresses_never_break_a_page(family, small, path):
    assert family.client.get(path).status_code < 500


def test_a_number_in_other_digits_is_a_number(family, small):
    family.begins(small).answers(children="٢").sees("Each child (1 of 2)")


def test_no_draft_is_begun_where_drafts_take_too_much_room_and_those_begun_go_on(site, small, monkeypatch):
    begun = Family(site).begins(small)
    begun.answers({})
    monkeypatch.setattr("engage.sites.family.draft_limit.max_draft_bytes", lambda: 10)
    site.family.extensions["engage.sites.family"].room_at = -1e9
    other = Family(site).opens(f"/en/w/{small}")
    other.sends(status=503).sees("Too many people are answering right now", "ask for a paper form")
    begun.walks({}).sends_answers()
    monkeypatch.undo()
    site.family.extensions["engage.sites.family"].room_at = -1e9
    Family(site).begins(small).walks({}).sends_answers()
