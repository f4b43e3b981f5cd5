# ruff: noqa: E501
"""Sentences of a family survey in languages that are not translated yet, and the fonts for them.

Each has digits, punctuation, brackets, and a Latin word. A telephone number in right-to-left text is isolated; without
that, its parts would be reordered. They were written for checking shapes, order, and line breaks. No reader of the
languages has checked them, and none is printed for a family.
"""

from dataclasses import dataclass

from engage.domain.paper.typesetting.fonts import Faces, load_faces


@dataclass(frozen=True)
class Specimen:
    """`tag` is the language's tag; `families` its fonts in order of preference, as in translations/languages.toml."""

    tag: str
    english: str
    families: tuple[str, ...]
    text: str
    rtl: bool = False

    @property
    def direction(self) -> str:
        return "rtl" if self.rtl else "ltr"

    @property
    def faces(self) -> Faces:
        return load_faces(self.tag, self.families)


_FURTHER = (
    Specimen(
        "am", "Amharic", ("Noto Sans Ethiopic",),
        "በቤትዎ ውስጥ ኢንተርኔት አለ? (Wi-Fi ወይም የስልክ ዳታ) እባክዎ ለእያንዳንዱ ልጅ አንድ ሳጥን ይምረጡ፤ 15 ደቂቃ ያህል ይወስዳል። "
        "ጥያቄ ካለዎት፣ በ 555-0134 ይደውሉ።",
    ),
    Specimen(
        "ti", "Tigrinya", ("Noto Sans Ethiopic",),
        "ኣብ ገዛኹም ኢንተርነት ኣለኩም ዶ? (Wi-Fi ወይ ናይ ተሌፎን ዳታ) በጃኹም ንነፍሲ ወከፍ ቆልዓ ሓደ ሳንዱቕ ምረጹ፤ 15 ደቓይቕ ይወስድ። "
        "ሕቶ እንተሃልዩኩም፣ ናብ 555-0134 ደውሉ።",
    ),
    Specimen(
        "my", "Burmese", ("Noto Sans Myanmar",),
        "သင့်အိမ်တွင် အင်တာနက် ရှိပါသလား။ (Wi-Fi သို့မဟုတ် ဖုန်းဒေတာ) ကလေးတစ်ဦးစီအတွက် အကွက်တစ်ခုကို ရွေးပါ။ ၁၅ မိနစ်ခန့် ကြာပါမည်။ "
        "မေးခွန်းရှိပါက 555-0134 သို့ ဖုန်းဆက်ပါ။",
    ),
    Specimen(
        "km", "Khmer", ("Noto Sans Khmer",),
        "តើនៅផ្ទះអ្នកមានអ៊ីនធឺណិតដែរឬទេ? (Wi-Fi ឬទិន្នន័យទូរសព្ទ) សូមជ្រើសរើសប្រអប់មួយសម្រាប់កូនម្នាក់ៗ។ វាចំណាយពេលប្រហែល ១៥ នាទី។ "
        "បើអ្នកមានសំណួរ សូមទូរសព្ទមកលេខ 555-0134។",
    ),
    Specimen(
        "lo", "Lao", ("Noto Sans Lao",),
        "ຢູ່ເຮືອນຂອງທ່ານມີອິນເຕີເນັດບໍ? (Wi-Fi ຫຼື ຂໍ້ມູນໂທລະສັບ) ກະລຸນາເລືອກໜຶ່ງຫ້ອງສຳລັບລູກແຕ່ລະຄົນ. ໃຊ້ເວລາປະມານ 15 ນາທີ. "
        "ຖ້າທ່ານມີຄຳຖາມ, ກະລຸນາໂທຫາເບີ 555-0134.",
    ),
    Specimen(
        "th", "Thai", ("Noto Sans Thai",),
        "ที่บ้านของคุณมีอินเทอร์เน็ตหรือไม่ (Wi-Fi หรือข้อมูลมือถือ) กรุณาเลือกหนึ่งช่องสำหรับเด็กแต่ละคน ใช้เวลาประมาณ 15 นาที "
        "หากมีคำถาม โทร. 555-0134 ได้ทุกวัน",
    ),
    Specimen(
        "hi", "Hindi", ("Noto Sans Devanagari",),
        "क्या आपके घर में इंटरनेट है? (Wi-Fi या फ़ोन का डेटा) कृपया हर बच्चे के लिए एक खाना चुनें; इसमें लगभग 15 मिनट लगते हैं। "
        "प्रश्न हों तो 555-0134 पर फ़ोन करें।",
    ),
    Specimen(
        "ne", "Nepali", ("Noto Sans Devanagari",),
        "तपाईंको घरमा इन्टरनेट छ? (Wi-Fi वा फोनको डाटा) कृपया प्रत्येक बच्चाका लागि एउटा कोठा छान्नुहोस्; यसमा करिब १५ मिनेट लाग्छ। "
        "प्रश्न भए 555-0134 मा फोन गर्नुहोस्।",
    ),
    Specimen(
        "bn", "Bengali", ("Noto Sans Bengali",),
        "আপনার বাড়িতে কি ইন্টারনেট আছে? (Wi-Fi বা ফোনের ডেটা) অনুগ্রহ করে প্রতিটি সন্তানের জন্য একটি ঘর বেছে নিন; এতে প্রায় ১৫ মিনিট লাগে। "
        "প্রশ্ন থাকলে 555-0134 নম্বরে ফোন করুন।",
    ),
    Specimen(
        "pa", "Punjabi", ("Noto Sans Gurmukhi",),
        "ਕੀ ਤੁਹਾਡੇ ਘਰ ਵਿੱਚ ਇੰਟਰਨੈੱਟ ਹੈ? (Wi-Fi ਜਾਂ ਫ਼ੋਨ ਦਾ ਡਾਟਾ) ਕਿਰਪਾ ਕਰਕੇ ਹਰ ਬੱਚੇ ਲਈ ਇੱਕ ਖਾਨਾ ਚੁਣੋ; ਇਸ ਵਿੱਚ ਲਗਭਗ 15 ਮਿੰਟ ਲੱਗਦੇ ਹਨ। "
        "ਸਵਾਲ ਹੋਣ ਤਾਂ 555-0134 'ਤੇ ਫ਼ੋਨ ਕਰੋ।",
    ),
    Specimen(
        "ur", "Urdu", ("Noto Nastaliq Urdu", "Noto Naskh Arabic"),
        "کیا آپ کے گھر میں انٹرنیٹ ہے؟ (Wi-Fi یا فون کا ڈیٹا) براہِ کرم ہر بچے کے لیے ایک خانہ منتخب کریں؛ اس میں تقریباً ۱۵ منٹ لگتے ہیں۔ "
        "سوال ہوں تو \u2066555-0134\u2069 پر فون کریں۔",
        rtl=True,
    ),
    Specimen(
        "fa-AF", "Dari", ("Noto Naskh Arabic", "Noto Sans Arabic"),
        "آیا در خانهٔ شما اینترنت است؟ (Wi-Fi یا دیتای تلفون) لطفاً برای هر کودک یک خانه را انتخاب کنید؛ این کار حدود ۱۵ دقیقه وقت "
        "می\u200cگیرد. اگر سؤالی دارید، به \u2066555-0134\u2069 زنگ بزنید.",
        rtl=True,
    ),
    Specimen(
        "ps", "Pashto", ("Noto Naskh Arabic", "Noto Sans Arabic"),
        "ایا ستاسو په کور کې انټرنیټ شته؟ (Wi-Fi یا د موبایل ډیټا) مهرباني وکړئ د هر ماشوم لپاره یوه خانه وټاکئ؛ دا شاوخوا ۱۵ دقیقې وخت نیسي. "
        "که پوښتنې لرئ، \u2066555-0134\u2069 ته زنګ ووهئ.",
        rtl=True,
    ),
    Specimen(
        "ko", "Korean", ("Noto Sans CJK KR",),
        "댁에 인터넷이 있습니까? (Wi-Fi 또는 휴대전화 데이터) 자녀 한 명마다 한 칸을 선택해 주십시오. 약 15분이 걸립니다. "
        "질문이 있으시면 555-0134로 전화해 주십시오.",
    ),
    Specimen(
        "ja", "Japanese", ("Noto Sans CJK JP",),
        "ご自宅にインターネットはありますか。（Wi-Fiまたは携帯電話のデータ通信）お子さまごとに一つの欄を選んでください。所要時間は約15分です。"
        "ご質問は「555-0134」までお電話ください。",
    ),
    Specimen(
        "zh-Hant", "Chinese (Traditional)", ("Noto Sans CJK TC",),
        "您家裡有網際網路嗎？（Wi-Fi 或手機數據）請為每個孩子選擇一個方格；大約需要 15 分鐘。如有疑問，請致電 555-0134。",
    ),
    Specimen(
        "ru", "Russian", ("Noto Sans",),
        "Есть ли у вас дома интернет? (Wi-Fi или мобильные данные) Пожалуйста, отметьте одну клетку для каждого ребёнка; "
        "это займёт около 15 минут. Если есть вопросы, звоните: 555-0134.",
    ),
    Specimen(
        "uk", "Ukrainian", ("Noto Sans",),
        "Чи є у вас удома інтернет? (Wi-Fi або мобільні дані) Будь ласка, позначте одну клітинку для кожної дитини; "
        "це займе близько 15 хвилин. Маєте запитання щодо її об’єднання? Телефонуйте: 555-0134.",
    ),
    Specimen(
        "ht", "Haitian Creole", ("Noto Sans",),
        "Èske ou gen entènèt lakay ou? (Wi-Fi oswa done telefòn) Tanpri chwazi yon kare pou chak timoun; "
        "sa pran anviwon 15 minit. Si ou gen kesyon, rele 555-0134.",
    ),
    Specimen(
        "hmn", "Hmong", ("Noto Sans",),
        "Koj tsev puas muaj is taws nev (internet)? (Wi-Fi los yog data hauv xov tooj) Thov xaiv ib lub npov rau txhua tus "
        "menyuam; yuav siv li 15 feeb. Yog muaj lus nug, hu rau 555-0134.",
    ),
    Specimen(
        "mh", "Marshallese", ("Noto Sans",),
        "Ewōr ke Internet ilo m̧weo im̧ōm̧? (Wi-Fi ak data in telpon) Jouj im kālet juon bok̄ ñan ajri kajjojo; "
        "enaaj bōk 15 minit. Eļañņe ewōr am̧ kajjitōk, kūrļo̧k 555-0134.",
    ),
)  # fmt: skip

_SHIPPED = (
    Specimen("en", "English", ("Noto Sans",), "Do you have internet at home? (Wi-Fi or phone data) Choose one box; 15 minutes."),
    Specimen(
        "es", "Spanish", ("Noto Sans",),
        "¿Tiene internet en casa? (Wi-Fi o datos del teléfono) Elija una casilla por cada niño; toma unos 15 minutos.",
    ),
    Specimen(
        "ar", "Arabic", ("Noto Naskh Arabic", "Noto Sans Arabic"),
        "هل لديكم إنترنت في المنزل؟ (Wi-Fi أو بيانات الهاتف) يُرجى اختيار مربع واحد لكل طفل؛ يستغرق ذلك حوالي 15 دقيقة. "
        "للأسئلة اتصلوا بالرقم \u2066555-0134\u2069.",
        rtl=True,
    ),
    Specimen(
        "so", "Somali", ("Noto Sans",),
        "Ma haysataan internet guriga? (Wi-Fi ama xogta telefoonka) Fadlan dooro hal sanduuq; waxay qaadanaysaa 15 daqiiqo.",
    ),
    Specimen(
        "vi", "Vietnamese", ("Noto Sans",),
        "Nhà quý vị có internet không? (Wi-Fi hoặc dữ liệu điện thoại) Xin chọn một ô cho mỗi em; mất khoảng 15 phút.",
    ),
    Specimen(
        "zh-Hans", "Chinese (Simplified)", ("Noto Sans CJK SC",),
        "您家里有互联网吗？（Wi-Fi 或手机数据）请为每个孩子选择一个方格；大约需要 15 分钟。如有疑问，请致电 555-0134。",
    ),
)  # fmt: skip

FURTHER = {each.tag: each for each in _FURTHER}
"""Languages not shipped yet, by tag."""

SPECIMENS = {each.tag: each for each in (*_SHIPPED, *_FURTHER)}
"""All languages, shipped or not, by tag."""
