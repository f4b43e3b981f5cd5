"""The letter that carries an answer to a family that asked on paper. It speaks the family's languages."""

from gettext import NullTranslations


def author_headings(words: NullTranslations) -> dict[str, str]:
    """What stands above a message, by its author ("family" or "staff")."""
    return {
        # translators: printed in a letter to a family, above what it asked
        "family": words.gettext("You asked"),
        # translators: printed in a letter to a family, above the school's answer
        "staff": words.gettext("The school answered"),
    }
