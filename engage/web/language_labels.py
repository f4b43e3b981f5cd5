"""What a language is called on a staff page."""

from babel import Locale

from engage.base.languages import LANGUAGES
from engage.domain.roster.language_names import language_label
from engage.storage.language_groups import OTHER
from engage.storage.models.schools import UNDETERMINED
from engage.web.page_language import gettext, language


def language_name(tag: str) -> str:
    """The name in the page's language; of a language that CLDR does not name there, the English one."""
    if tag == UNDETERMINED:
        # translators: in a list of languages: the roster does not say which language these households read
        return gettext("Language not known")
    if tag == OTHER:
        # translators: in a list of languages: all those that few families read, taken together
        return gettext("Other languages")
    names = Locale.parse(language().locale).languages
    return str(names.get(tag.replace("-", "_")) or language_label(tag))


def native_name(tag: str) -> str:
    """What its readers call it, where surveys are offered in it; else as `language_name` says."""
    return LANGUAGES[tag].name if tag in LANGUAGES else language_name(tag)
