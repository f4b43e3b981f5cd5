"""Riverbend's answers: drawn at random with weights that differ by language, and some written comments."""

from collections.abc import Mapping, Sequence
from random import Random

from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.model import CHOICE_KINDS, TEXT_KINDS, Question, Survey
from engage.questionnaire.routing import slots_on_route

BLANK = 0.04  # share of questions left blank
DONT_KNOW = 0.03
REFUSED = 0.015
WRITES = 0.22  # share of households that write a comment

# weights that differ from uniform: question, language ("" for all others), weights by choice code
TILTS: dict[str, dict[str, dict[str, float]]] = {
    "internet": {
        "": {"yes": 9, "no": 1},
        "so": {"yes": 5, "no": 5},
        "ar": {"yes": 7, "no": 3},
        "es": {"yes": 15, "no": 5},
    },
    "internet_kind": {"": {"broadband": 7, "cellular": 2}, "so": {"broadband": 2, "cellular": 6}},
    "device": {"": {"chromebook": 5, "laptop": 4, "phone": 1}, "so": {"phone": 5, "chromebook": 4}},
    "no_internet_reason": {"": {"cost": 6, "not_available": 2}},
    "internet_type": {"": {"line": 7, "cell_phone": 2}, "so": {"line": 2, "cell_phone": 6}},
    "main_device": {"": {"chromebook": 5, "laptop": 4, "phone": 1}, "so": {"phone": 5, "chromebook": 4}},
    "no_internet_main": {"": {"cost": 6, "not_available": 2}},
}

HEARD = ("easy_to_ask", "listens", "asks_first", "safe_to_say")
"""Questions about being heard: answered better at one school, and worse elsewhere by families reading two languages."""
WELL_HEARD_AT = "lincoln"
LESS_HEARD = ("so", "es")

WORDS: dict[str, dict[str, Sequence[str]]] = {
    "en": {
        "hope": ("I hope my son learns to love reading.", "That she finds friends and is not afraid to ask."),
        "worry": (
            "She spends all day on a screen. I worry about her eyes.",
            "Please tell us before you change how lessons work.",
        ),
        "change_or_keep": (
            "Please ask us before the schedule changes, not after.",
            "Keep the reading hour. My son loves it.",
        ),
        "question": ("Could the school stay open after class so children can use the internet?",),
    },
    "es": {
        "hope": ("Espero que mi hija no pierda su español.", "Que le guste aprender y tenga buenos maestros."),
        "worry": ("Me preocupa que pase mucho tiempo con la pantalla.", "Que se burlen de su acento."),
        "change_or_keep": (
            "Que nos pregunten antes de cambiar las clases.",
            "Sigan con la hora de lectura, por favor.",
        ),
        "question": ("¿Pueden explicarnos cómo ayudar con la tarea en casa?",),
    },
    "ar": {
        "hope": ("أتمنى أن يتعلم أولادي في جو آمن.",),
        "worry": ("أخاف أن يقضي ابني وقتا طويلا أمام الشاشة.",),
        "change_or_keep": ("أرجو أن تسألونا قبل تغيير طريقة التعليم.",),
        "question": ("هل يمكن أن تصلنا الرسائل باللغة العربية؟",),
    },
    "so": {
        "hope": ("Waxaan rajaynayaa in carruurtaydu wax fiican bartaan.",),
        "worry": ("Guriga internet ma haysanno, casharradana way ka haraan.",),
        "change_or_keep": ("Fadlan na weydiiya ka hor inta aan wax la beddelin.",),
        "question": ("Ma heli karnaa turjubaan marka aan dugsiga imanayno?",),
    },
    "vi": {
        "hope": ("Tôi mong con tôi tự tin hơn khi nói trước lớp.",),
        "worry": ("Tôi lo cháu xem điện thoại quá nhiều.",),
        "change_or_keep": ("Xin hỏi ý kiến chúng tôi trước khi thay đổi.",),
        "question": ("Nhà trường có lớp hướng dẫn phụ huynh dùng máy tính không?",),
    },
    "zh-Hans": {
        "hope": ("希望孩子能有更多时间阅读。",),
        "worry": ("担心孩子看屏幕的时间太长。",),
        "change_or_keep": ("改变之前请先问问我们。",),
        "question": ("学校的通知能不能用中文发给我们？",),
    },
}

PAPER_SHARE = {"en": 0.15, "es": 0.35, "ar": 0.45, "so": 0.6, "vi": 0.3, "zh-Hans": 0.2}
ANSWER_SHARE = {"en": 0.92, "es": 0.78, "ar": 0.7, "so": 0.45, "vi": 0.7, "zh-Hans": 0.75}


def raw_answers(survey: Survey, language: str, rng: Random, school: str = "") -> dict[str, list[str]]:
    """One household's raw answers along its route, as its phone would send them. Without a school, no school is heard
    better than others."""
    raw: dict[str, list[str]] = {}
    seen: set[str] = set()
    while fresh := [slot for slot in slots_on_route(survey, assemble_answers(survey, raw)[0]) if slot.key not in seen]:
        slot = fresh[0]
        seen.add(slot.key)
        if values := _draw_answer(slot.question, language, rng, school):
            raw[slot.key] = values
    return raw


def _draw_answer(question: Question, language: str, rng: Random, school: str) -> list[str]:
    draw = rng.random()
    if draw < BLANK:
        return []
    if question.kind in CHOICE_KINDS:
        if question.dont_know and draw < BLANK + DONT_KNOW:
            return ["~dont_know"]
        if question.refuse and draw < BLANK + DONT_KNOW + REFUSED:
            return ["~refused"]
        return (
            _draw_choices(question, language, rng)
            if question.kind == "several"
            else [_draw_choice(question, language, rng, school)]
        )
    if question.kind == "number":
        return [str(rng.choices((1, 2, 3, 4), (5, 5, 2, 1))[0])]
    if question.kind in TEXT_KINDS and rng.random() < WRITES:
        return [rng.choice(WORDS[language].get(question.id, ("",)))]
    return []


def _draw_choice(question: Question, language: str, rng: Random, school: str) -> str:
    codes = [choice.code for choice in question.choices]
    tilt = _choice_weights(question.id, language)
    default = [1.0] * len(codes) if question.kind != "scale" else _scale_weights(len(codes), rng)
    if school and question.id in HEARD:
        default = _heard_weights(default, language, school)
    weights = [tilt.get(code, weight * 0.6 if tilt else weight) for code, weight in zip(codes, default, strict=True)]
    return rng.choices(codes, weights)[0]


def _draw_choices(question: Question, language: str, rng: Random) -> list[str]:
    alone = [choice.code for choice in question.choices if choice.exclusive]
    if alone and rng.random() < 0.3:
        return [alone[0]]
    codes = [choice.code for choice in question.choices if not choice.exclusive]
    return [code for code in codes if rng.random() < 0.28][: question.at_most]


def _choice_weights(question: str, language: str) -> Mapping[str, float]:
    tilts = TILTS.get(question, {})
    return tilts.get(language, tilts.get("", {}))


def _heard_weights(weights: list[float], language: str, school: str) -> list[float]:
    if school == WELL_HEARD_AT:
        return [weight**3 for weight in weights]
    return [weight**3 for weight in reversed(weights)] if language in LESS_HEARD else weights


def _scale_weights(count: int, rng: Random) -> list[float]:
    """Weights that rise toward the positive end of a scale of `count` points, since families rate schools kindly."""
    return [0.4 + (place + 1) / count + rng.random() * 0.2 for place in range(count)]
