"""What all pages need from Flask: context, permissions, navigation, errors, page languages, staff sign-in."""

TEXT_DOMAIN = "staff"
