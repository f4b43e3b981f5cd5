"""Riverbend's own words in the privacy notice: who asks, and whom to ask."""

WHO_ASKS = {
    "en": "Riverbend School District, Family Engagement Office. Questions? Ask for Hodan Warsame, 555-0142.",
    "es": "Distrito Escolar de Riverbend, Oficina de Familias. ¿Preguntas? Pida hablar con Hodan Warsame, 555-0142.",
    "ar": "منطقة ريفربند التعليمية، مكتب شؤون العائلات. للأسئلة: هودان ورسمه، 555-0142.",
    "so": "Degmada Dugsiyada Riverbend, Xafiiska Qoysaska. Su'aalo ma qabtaa? Weydii Hodan Warsame, 555-0142.",
    "vi": "Học khu Riverbend, Văn phòng Gia đình. Quý vị có thắc mắc? Xin hỏi Hodan Warsame, 555-0142.",
    "zh-Hans": "Riverbend 学区家庭联络办公室。有问题吗？请找 Hodan Warsame，555-0142。",
}
