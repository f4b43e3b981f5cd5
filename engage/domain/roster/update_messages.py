"""Sentences about automatic updates of the roster: why one waits for a person, or could not be stored, and what to do.

Codes that are not here are those of files that cannot be used (remarks.py)."""

from gettext import NullTranslations

from engage.domain.roster.remarks import RosterRefused, refusal_text, shorten_value


class UpdateProblem(Exception):
    """An update cannot be made now. `code` is one of `update_sentence`, `detail` the value in its sentence."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code, self.detail = code, shorten_value(detail)
        super().__init__(update_sentence(code, self.detail, NullTranslations()))


def update_sentence(code: str, detail: str, words: NullTranslations) -> str:
    """Return the sentence of a code; empty for an empty code."""
    if not code:
        return ""
    texts = _review_texts(words) | _folder_texts(words) | _server_texts(words)
    return texts[code] % {"value": detail} if code in texts else refusal_text(RosterRefused(code, detail), words)


def _review_texts(words: NullTranslations) -> dict[str, str]:
    """Why an update waits, or why it was not stored."""
    return {
        # translators: why staff must confirm a new list of students that arrived by itself
        "steep": words.gettext("Many records would be removed. Check whether the files are complete."),
        # translators: why staff must confirm a new list of students that arrived by itself
        "all_gone": words.gettext("All students would be removed. Check whether these are the right files."),
        # translators: why staff must confirm a new list of students that arrived by itself
        "new_year": words.gettext(
            "Most students would have another school, grade, or class, as at the end of a school year. Confirm when "
            "your surveys of the school year are finished."
        ),
        # translators: why staff must confirm a new list of students that arrived by itself
        "many_in_a_week": words.gettext(
            "With the updates of the last seven days, more than a fifth of the students would be removed."
        ),
        # translators: what became of a new list of students that arrived by itself: another one came after it
        "newer": words.gettext("A newer update took its place."),
        # translators: what became of a new list of students that arrived by itself
        "declined": words.gettext("An administrator kept the roster as it was."),
        # translators: what became of a new list of students that arrived by itself
        "expired": words.gettext("Nobody confirmed it within seven days, so its files were deleted."),
        # translators: what became of a new list of students that arrived by itself
        "replaced": words.gettext("It was interrupted, and another import took its place."),
        # translators: why a new list of students that arrived by itself was not stored
        "interrupted": words.gettext("The update was interrupted. It is tried again."),
        # translators: why a new list of students that arrived by itself was not stored
        "roster_changed": words.gettext("Somebody changed the roster or the opt-outs meanwhile. It is tried again."),
        # translators: why a list of changes of students was not stored
        "full_needed": words.gettext(
            "An earlier import was interrupted, and this is a list of changes only. A complete roster is needed."
        ),
        # translators: why a new list of students was not stored; a sealing key decrypts the stored names
        "key_missing": words.gettext(
            "The stored names cannot be decrypted because an older sealing key is missing. Put it back."
        ),
        # translators: why a new list of students was not stored; the log is a file for the person who runs the server
        "unexpected": words.gettext("An unexpected error occurred. The log of the worker says what it was."),
    }


def _folder_texts(words: NullTranslations) -> dict[str, str]:
    """Why files in the watched folder could not be read."""
    return {
        # translators: about a folder in which files arrive; value is its path. ENGAGE_ROSTER_DIR is a setting
        "folder_missing": words.gettext(
            "The folder “%(value)s” does not exist. Create it, or correct ENGAGE_ROSTER_DIR."
        ),
        # translators: about a folder in which files arrive; value is its path. ENGAGE_ROSTER_DIR is a setting
        "folder_link": words.gettext(
            "“%(value)s” is a link or a file, not a folder. Give the path of the folder itself in ENGAGE_ROSTER_DIR."
        ),
        # translators: about a folder in which files arrive; value is its path. Engage is the name of this software
        "folder_denied": words.gettext(
            "The account that runs Engage may not read, write, and delete in “%(value)s”. Correct the permissions."
        ),
        # translators: about a folder in which files arrive; value is a file name. Engage is the name of this software
        "file_denied": words.gettext(
            "The account that runs Engage may not read or delete the file “%(value)s”. Correct the permissions."
        ),
    }


def _server_texts(words: NullTranslations) -> dict[str, str]:
    """Why the district's OneRoster server could not be used."""
    return {
        # translators: about a server with lists of students; value is the path of a file. ENGAGE_… is a setting
        "secret_missing": words.gettext(
            "The client secret cannot be read from “%(value)s”. Write it to this file, or correct "
            "ENGAGE_ROSTER_SECRET_FILE."
        ),
        # translators: about a server with lists of students; value is the path of a file
        "secret_open": words.gettext(
            "Other accounts can read the client secret in “%(value)s”. Run: chmod 600, and ask for a new secret."
        ),
        # translators: about a server with lists of students; value is its name in the network
        "server_away": words.gettext("%(value)s did not answer, or stopped in the middle. It is asked again."),
        # translators: about a server with lists of students; value is its name in the network
        "server_certificate": words.gettext(
            "The certificate of %(value)s cannot be verified, so nothing was sent to it. Ask the vendor to correct it."
        ),
        # translators: about a server with lists of students; value is the name of another server in the network
        "server_redirect": words.gettext(
            "The server points to another address (%(value)s), which is not followed. Ask the vendor for the final "
            "address, and correct the settings."
        ),
        # translators: about a server with lists of students. OAuth is the name of a way to sign in
        "server_oauth1": words.gettext(
            "The server asks for OAuth 1.0a, which is obsolete and not supported. Ask the vendor for OAuth 2 client "
            "credentials, or use the watched folder."
        ),
        # translators: about a server with lists of students; value is its name in the network
        "server_credentials": words.gettext(
            "%(value)s does not accept the client ID, the client secret, or the scope. Compare them with the vendor's."
        ),
        # translators: about a server with lists of students; value is its name in the network
        "server_token": words.gettext(
            "%(value)s did not send an access token. Check ENGAGE_ROSTER_TOKEN_URL with the vendor."
        ),
        # translators: about a server with lists of students; value is the name of one of its lists, such as users
        "server_forbidden": words.gettext(
            "The server does not let this client read “%(value)s”. Ask the vendor for permission to read it."
        ),
        # translators: about a server with lists of students; value is the name of one of its lists, such as users
        "server_missing": words.gettext(
            "The server does not have “%(value)s” at this address. Check ENGAGE_ROSTER_URL."
        ),
        # translators: about a server with lists of students; value is the name of a list or a server, and a number
        "server_status": words.gettext("The server answered with an error (%(value)s). It is asked again."),
        # translators: about a server with lists of students; value is the name of one of its lists, such as users
        "server_not_json": words.gettext(
            "The server's answer for “%(value)s” is not OneRoster JSON. Check ENGAGE_ROSTER_URL with the vendor."
        ),
        # translators: about a server with lists of students
        "server_large": words.gettext("The server's answers are too large to be a roster. Nothing was imported."),
        # translators: about a server with lists of students; value is the name of one of its lists and two numbers
        "server_short": words.gettext(
            "The server sent fewer records than it announced (%(value)s). Nothing was imported. It is asked again."
        ),
        # translators: about a server with lists of students; value is the name of one of its lists, such as users
        "server_repeats": words.gettext(
            "The server sent the same page of “%(value)s” twice, so the list may be incomplete. Nothing was imported. "
            "Report this to the vendor."
        ),
    }
