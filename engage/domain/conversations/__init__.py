"""Conversations: what families ask and what the school answers, by reply code or on paper."""

TEXT_DOMAIN = "family"
