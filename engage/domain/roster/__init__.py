"""The roster: import of students, guardians, languages, and homes from a student information system."""

TEXT_DOMAIN = "staff"
