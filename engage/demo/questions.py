"""Questions that Riverbend's families asked the school: some wait for an answer, one has been answered."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.demo.promises import ANSWER
from engage.demo.story import DemoContext
from engage.domain.conversations.threads import NewMessage, add_message, find_conversations, post_by_reply_code
from engage.domain.security import access_codes
from engage.storage.models.staff import Staff
from engage.storage.models.waves import Wave

QUESTIONS = (  # days ago, school, language, kind, words
    (
        5,
        "lincoln",
        "es",
        "question",
        "¿Hay un lugar con internet donde mi hijo pueda hacer la tarea después de clases?",
    ),
    (5, "cedar-hill", "ar", "question", "هل سيكون هناك مترجم في اجتماع أولياء الأمور؟"),
    (4, "lincoln", "so", "question", "Wiilkaygu kumbuyuutar ma haysto. Dugsigu ma amaahin karaa mid?"),
    (3, "lincoln", "en", "question", "Who can see what my daughter does on her school laptop?"),
    (2, "riverbend-high", "vi", "question", "Con tôi phải dùng máy tính bao nhiêu giờ mỗi ngày ở trường?"),
    (1, "cedar-hill", "zh-Hans", "question", "学校可以用中文给我们发通知吗？"),
)


def open_threads(session: Session, author: DemoContext, wave: Wave) -> str:
    """Open the threads. Returns the reply code of the answered one."""
    pepper = author.secret(access_codes.REPLY_PEPPER)
    codes = []
    for number, (ago, school, language, kind, words) in enumerate(QUESTIONS):
        code = access_codes.derive_reply_code(b"riverbend", bytes([number]))
        codes.append(code)
        post_by_reply_code(
            session.connection(),
            access_codes.hash_reply_code(code, pepper),
            wave_id=wave.id,
            school_id=school,
            language=language,
            kind=kind,
            text=words,
            today=author.today - timedelta(days=ago),
            rng=author.rng,
        )
    _answer_thread(session, author, access_codes.hash_reply_code(codes[0], pepper))
    return access_codes.format_reply_code(codes[0])


def _answer_thread(session: Session, author: DemoContext, reply_hash: str) -> None:
    liaison = session.scalars(select(Staff).where(Staff.email == "liaison@riverbend.example")).one()
    thread = find_conversations(session.connection(), reply_hash)[0]
    message = NewMessage("staff", ANSWER["es"], "es", staff_id=liaison.id)
    add_message(session.connection(), thread.id, message, today=author.today - timedelta(days=3), rng=author.rng)
