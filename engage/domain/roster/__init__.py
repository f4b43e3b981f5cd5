"""The roster: what a student information system says about students, their guardians, languages and homes."""

TEXT_DOMAIN = "staff"
