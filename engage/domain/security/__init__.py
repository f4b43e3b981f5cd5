"""Security: permissions, passwords, codes, encryption, the audit log."""
