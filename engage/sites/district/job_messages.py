"""Why the worker could not count figures or make a file. Rows of storage/models/jobs.py have the codes."""

from engage.web.page_language import gettext


def explain_problem(code: str) -> str:
    """Why a count or a file failed, and what to do, in the language of the page; empty if it did not."""
    if not code:
        return ""
    sentences = {
        # translators: why figures could not be counted: many answers came very fast, and somebody must decide
        "bursts": gettext("Some responses are flagged. First decide whether they count, then try again."),
        # translators: why figures could not be counted
        "deleted": gettext("The answers have been deleted, so the figures can no longer be counted."),
        # translators: why a file could not be made
        "disk": gettext(
            "The disk is full, and nothing was saved. Ask your administrator to free up space, then try again."
        ),
        # translators: why a file could not be made
        "file": gettext(
            "The file could not be saved. Ask your administrator to read the log of the worker, then try again."
        ),
        # translators: why a document could not be made: "engage doctor" is a program's name, do not translate it
        "font": gettext(
            "The fonts for this language are not installed. Ask your administrator to run “engage doctor”."
        ),
        # translators: why figures could not be counted, or a file could not be made
        "unexpected": gettext(
            "There was an unexpected error. Try again. If it happens again, ask your administrator to read the log of "
            "the worker."
        ),
    }
    return sentences.get(code, sentences["unexpected"])
