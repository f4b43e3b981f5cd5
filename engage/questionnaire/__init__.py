"""The questionnaire: what is asked, its rules and its answers. Pure: no web, no database, no clock."""

TEXT_DOMAIN = "family"
