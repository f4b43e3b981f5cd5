"""Flask plumbing: context, permissions, navigation, errors, languages of a page, staff sign-in."""

TEXT_DOMAIN = "staff"
