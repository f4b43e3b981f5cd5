"""Names of languages on staff pages."""

from babel import Locale

from engage.base.languages import LANGUAGES
from engage.domain.roster.language_names import language_label
from engage.storage.language_groups import OTHER
from engage.storage.models.schools import UNDETERMINED
from engage.web.page_language import gettext, language


def language_name(tag: str) -> str:
    """The name in the page's language; the English name if CLDR has none."""
    if tag == UNDETERMINED:
        # translators: in a list of languages: the roster does not say which language these households read
        return gettext("Language not known")
    if tag == OTHER:
        # translators: in a list of languages: all those that few families read, taken together
        return gettext("Other languages")
    names = Locale.parse(language().locale).languages
    return str(names.get(tag.replace("-", "_")) or language_label(tag))


def native_name(tag: str) -> str:
    """The native name, if surveys are offered in the language; otherwise the result of `language_name`."""
    return LANGUAGES[tag].name if tag in LANGUAGES else language_name(tag)
