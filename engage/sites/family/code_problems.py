"""Messages about mistyped codes."""

from engage.domain.security.access_codes import LENGTH, REPLY_LENGTH
from engage.domain.security.pasted_codes import DIGITS, count_symbols, find_serial
from engage.web.page_language import gettext, ngettext

NEAR = 4  # symbols: a text with at most this many too few or too many is treated as a mistyped code of this kind


def access_code_problem(typed: str) -> str:
    """The message if a text contains no access code."""
    if not typed.strip():
        # translators: error beside the field for an access code, which was left empty
        return gettext("Please type your code.")
    if find_serial(typed):
        # translators: error beside a field for a code: a family typed the number that is printed on its paper form.
        # Families have a letter; educators and students have a slip of paper
        return gettext("This is the form number from a paper form, not a code. The code is on your letter or slip.")
    # translators: the code a family typed has a wrong letter; its check letter tells us so
    wrong = gettext("This code has a mistake in it. Please check each letter and digit.")
    return _length_problem(count_symbols(typed) - LENGTH, LENGTH) or wrong


def reply_code_problem(typed: str) -> str:
    """The message if a text contains no reply code."""
    if not typed.strip():
        # translators: error beside the field for the reply code, which was left empty
        return gettext("Please type your reply code.")
    if find_serial(typed):
        # translators: error beside a field for a code: a family typed the number that is printed on its paper form
        return gettext("This is the form number from a paper form, not a reply code. The reply code has 16 digits.")
    # translators: the reply code a family typed has a wrong digit; its check digit tells us so
    wrong = gettext("This code has a mistake in it. A reply code has 16 digits. Please check each one.")
    return _length_problem(count_symbols(typed, DIGITS) - REPLY_LENGTH, REPLY_LENGTH) or wrong


def wait_message() -> str:
    """The message if a network has to wait before it may try another code."""
    # translators: somebody in the same school or phone network typed many codes that are nobody's
    return gettext("Too many wrong codes came from this network. Wait one minute, then try again. Nothing is lost.")


def _length_problem(over: int, length: int) -> str:
    """The message for a code with that many characters too many (negative: too few); empty if the length is not the
    fault."""
    if 0 < over <= NEAR:
        # translators: error beside a field for a code; characters are letters and digits; %(length)s is a number
        return ngettext(
            "There is %(num)s character too many. The code has %(length)s.",
            "There are %(num)s characters too many. The code has %(length)s.",
            over,
            length=length,
        )
    if -NEAR <= over < 0:
        # translators: error beside a field for a code; characters are letters and digits; %(length)s is a number
        return ngettext(
            "%(num)s character is missing. The code has %(length)s.",
            "%(num)s characters are missing. The code has %(length)s.",
            -over,
            length=length,
        )
    return ""
