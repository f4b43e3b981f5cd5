"""Returning with a reply code, which is never in an address: the school's answer, and a field to reply."""

from functools import partial

from flask import Response, request

from engage.domain.conversations.threads import (
    Conversation,
    InvalidMessage,
    NewMessage,
    add_message,
    find_conversations,
)
from engage.domain.security.access_codes import format_access_code, format_reply_code
from engage.domain.security.pasted_codes import LONGEST, find_access_code, find_reply_code
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.text_cleaning import clean_text
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.code_problems import reply_code_problem, wait_message
from engage.sites.family.context import RNG, family_memory, open_read_connection, request_network
from engage.sites.family.page_cache import (
    add_retry_header,
    busy_message,
    redirect_with_get,
    render_page,
    render_response,
    send_page,
)
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters


@blueprint.get("/<lang:lang>/reply")
@enters(PUBLIC)
def reply(lang: str) -> Response:
    """The form for a reply code."""
    return send_page(
        family_memory().pages.get(("reply", lang), lambda: render_page("reply.html", path="/reply", lang=lang))
    )


@blueprint.post("/<lang:lang>/reply")
@enters(PUBLIC)
def reply_typed(lang: str) -> Response:
    """The conversation of a reply code. The page is the same whenever there is no answer: for an unknown code, a
    waiting question, or a code from a strip of paper without a question or not keyed yet."""
    typed = request.form.get("code", "")[:LONGEST]
    code = find_reply_code(typed)
    if code is None and (access := find_access_code(typed)):
        return redirect_with_get(f"/{lang}/c/{format_access_code(access)}")
    if code is None:
        problem = reply_code_problem(typed)
        return render_response("reply.html", 422, path="/reply", lang=lang, typed=typed, problem=problem)
    if family_memory().replies.refuses(request_network()):
        written = {name: request.form.get(name, "") for name in ("text", "kind")}
        wait = busy_message() if written["text"] else wait_message()  # only the form with a text has a button "Send"
        values = {"path": "/reply", "lang": lang, "typed": format_reply_code(code), "wait": wait}
        return add_retry_header(render_response("reply.html", 429, **values, **written))
    slow = device_secret.reply_code_hash(code)
    conversations = _find_answered(slow)
    if not conversations:
        family_memory().replies.count(request_network())
        return render_response("reply_missing.html", path="/reply", lang=lang, code=format_reply_code(code))
    wrong = _write_message(lang, conversations)
    if wrong == "":
        conversations = _find_answered(slow)
    return render_response(
        "conversation.html",
        422 if wrong else 200,
        lang=lang,
        path="/reply",
        code=format_reply_code(code),
        found=conversations,
        problem=wrong,
        typed=request.form.get("text", "") if wrong else "",
        written=wrong == "",
    )


def _find_answered(slow: str) -> list[Conversation]:
    """The conversations that have a message from the school."""
    with open_read_connection() as connection:
        return [conversation for conversation in find_conversations(connection, slow) if conversation.answered]


def _write_message(lang: str, conversations: list[Conversation]) -> str | None:
    """Store a message in a conversation, if the form contains one: None if not, "" if stored, otherwise the error."""
    if "text" not in request.form:
        return None
    text = request.form["text"]
    if not clean_text(text):
        # translators: error beside a text field that was left empty
        return gettext("Please write something first.")
    chosen = next((each for each in conversations if each.kind == request.form.get("kind")), conversations[0])
    today = runtime().today()
    message = NewMessage("family", text, lang)
    work = partial(add_message, thread_id=chosen.id, message=message, today=today, rng=RNG)
    try:
        runtime().writer.run(work)
    except InvalidMessage:
        # translators: error beside a text field
        return gettext("Your text is too long. Please make it shorter.")
    return ""
