"""Numbers in sentences are written as the page's language does."""

import pytest
from flask import render_template_string

from engage.web.page_language import ngettext, set_language

ONE, MANY = "%(num)s household has opted out", "%(num)s households have opted out"


@pytest.mark.parametrize(("tag", "number"), [("en", "59,400"), ("es", "59,400"), ("vi", "59.400"), ("ar", "59,400")])
def test_a_large_number_in_a_sentence_is_grouped(site, tag, number):
    with site.staff.test_request_context():
        set_language(tag)
        assert number in ngettext(ONE, MANY, 59_400)
        page = render_template_string("{{ ngettext(one, many, 59400) }}", one=ONE, many=MANY)
        assert number in page
        assert "59400" not in page


def test_values_in_a_sentence_of_a_template_are_escaped(site):
    with site.staff.test_request_context():
        text = "{{ ngettext('%(num)s from %(who)s', '%(num)s from %(who)s', 2, who='<b>') }}"
        assert render_template_string(text) == "2 from &lt;b&gt;"
