"""The database: tables, connections, writing in groups, migrations. No decisions."""
