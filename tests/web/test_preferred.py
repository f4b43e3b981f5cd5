"""Language preferences of browsers, and the language of the response."""

import pytest

from engage.web.browser_language import closest_language


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        (["ar-EG", "es"], "ar"),
        (["tlh", "es-419"], "es"),
        (["zh-CN"], "zh-Hans"),
        (["zh_SG"], "zh-Hans"),
        (["zh"], "zh-Hans"),
        (["ZH-HANS-HK"], "zh-Hans"),
        (["zh-TW", "vi"], "vi"),
        (["zh-Hant"], None),
        (["zh-HK", "en-GB"], "en"),
        (["*"], None),
        (["", "'; drop table"], None),
        ([], None),
    ],
)
def test_the_closest_language_we_speak(wanted: list[str], got: str | None) -> None:
    assert closest_language(wanted) == got
