"""What Riverbend's families asked back: some wait for an answer, one has it."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.demo.promises import ANSWER
from engage.demo.story import Author
from engage.domain.conversations.reply_codes import ask, behind
from engage.domain.conversations.threads import write
from engage.domain.security import access_codes
from engage.storage.models.schools import Wave
from engage.storage.models.staff import Staff

ASKED = (  # days ago, school, language, kind, words
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


def tell(session: Session, author: Author, wave: Wave) -> str:
    """Open the threads; returns the reply code of the one that has its answer."""
    pepper = author.secret(access_codes.REPLY_PEPPER)
    shown = []
    for number, (ago, school, language, kind, words) in enumerate(ASKED):
        code = access_codes.reply_code(b"riverbend", bytes([number]))
        shown.append(code)
        ask(
            session.connection(),
            access_codes.reply_hash(code, pepper),
            wave_id=wave.id,
            school_id=school,
            language=language,
            kind=kind,
            text=words,
            today=author.today - timedelta(days=ago),
            rng=author.rng,
        )
    _answer(session, author, access_codes.reply_hash(shown[0], pepper))
    return access_codes.show_reply(shown[0])


def _answer(session: Session, author: Author, reply_hash: str) -> None:
    liaison = session.scalars(select(Staff).where(Staff.email == "liaison@riverbend.example")).one()
    thread = behind(session.connection(), reply_hash)[0]
    write(
        session.connection(),
        thread.id,
        author="staff",
        staff_id=liaison.id,
        text=ANSWER["es"],
        language="es",
        today=author.today - timedelta(days=3),
        rng=author.rng,
    )
