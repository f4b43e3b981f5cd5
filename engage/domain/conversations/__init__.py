"""Conversations: questions from families and the school's answers, by reply code or on paper."""

TEXT_DOMAIN = "family"
