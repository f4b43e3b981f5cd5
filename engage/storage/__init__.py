"""Database access: tables, connections, group commit, migrations. Contains no domain decisions."""
