"""The themes of last spring and the district's commitments on them, in every language that it offers."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class DemoCommitment:
    """One commitment; `words` are (theme, you said, we will) by language tag, `due` is counted from the meeting."""

    owner: str
    due: timedelta
    status: str
    words: dict[str, tuple[str, str, str]]


PROMISES = (
    DemoCommitment(
        "Technology Office",
        timedelta(days=90),
        "under_way",
        {
            "en": (
                "Internet at home",
                "Some families have no internet at home. For most of them it costs too much.",
                "We will lend a small Wi-Fi box to each family that asks for one, until the end of the school year.",
            ),
            "es": (
                "Internet en casa",
                "Algunas familias no tienen internet en casa. Para la mayoría, cuesta demasiado.",
                "Prestaremos una pequeña caja de Wi-Fi a cada familia que la pida, hasta el fin del año escolar.",
            ),
            "ar": (
                "الإنترنت في المنزل",
                "بعض الأسر ليس لديها إنترنت في المنزل. ومعظمها يرى أن تكلفته مرتفعة جدا.",
                "سنعير جهاز واي فاي صغيرا لكل أسرة تطلبه، حتى نهاية السنة الدراسية.",
            ),
            "so": (
                "Internetka guriga",
                "Qoysaska qaar internet guriga kuma haystaan. Badankood aad bay ugu qaali tahay.",
                "Qoys kasta oo codsada waxaan amaahin doonnaa qalab yar oo Wi-Fi ah, ilaa dhammaadka sannad-dugsiyeedka.",
            ),
            "vi": (
                "Internet ở nhà",
                "Một số gia đình không có internet ở nhà. Phần lớn là vì giá quá cao.",
                "Chúng tôi sẽ cho mỗi gia đình có yêu cầu mượn một hộp Wi-Fi nhỏ đến hết năm học.",
            ),
            "zh-Hans": (
                "家里的网络",
                "有些家庭家里没有网络，大多是因为费用太高。",
                "凡是提出需要的家庭，我们都会借给一个小型 Wi-Fi 盒，用到学年结束。",
            ),
        },
    ),
    DemoCommitment(
        "Family Engagement Office",
        timedelta(days=45),
        "planned",
        {
            "en": (
                "Being heard",
                "It is hard for many families to ask the school a question in their own language.",
                "Each school will have one evening a month with interpreters, where any family can come and ask.",
            ),
            "es": (
                "Que nos escuchen",
                "A muchas familias les cuesta hacer una pregunta a la escuela en su propio idioma.",
                "Cada escuela tendrá una noche al mes con intérpretes, donde cualquier familia puede venir a preguntar.",
            ),
            "ar": (
                "أن يُسمع صوتكم",
                "يصعب على أسر كثيرة أن تسأل المدرسة بلغتها.",
                "ستخصص كل مدرسة مساء واحدا في الشهر بحضور مترجمين، ويمكن لأي أسرة أن تأتي وتسأل.",
            ),
            "so": (
                "In la idin maqlo",
                "Qoysas badan way ku adag tahay inay dugsiga su'aal ku weydiiyaan luqaddooda.",
                "Dugsi kasta wuxuu bishii hal fiid yeelan doonaa turjubaanno, qoys kastana wuu iman karaa oo wax weydiin karaa.",
            ),
            "vi": (
                "Được lắng nghe",
                "Nhiều gia đình thấy khó đặt câu hỏi cho trường bằng ngôn ngữ của mình.",
                "Mỗi trường sẽ có một buổi tối mỗi tháng có thông dịch viên, gia đình nào cũng có thể đến hỏi.",
            ),
            "zh-Hans": (
                "倾听家庭的声音",
                "许多家庭觉得很难用自己的语言向学校提问。",
                "每所学校每月会安排一个有口译员在场的晚上，任何家庭都可以来提问。",
            ),
        },
    ),
)

ANSWER = {
    "en": "Thank you for asking. Yes: the library at Lincoln is open until six on school days, and the Wi-Fi is free.",
    "es": (
        "Gracias por preguntar. Sí: la biblioteca de Lincoln está abierta hasta las seis los días de clase, "
        "y el Wi-Fi es gratis."
    ),
}
