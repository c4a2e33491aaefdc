"""The database: tables, every query, geometry, migrations. The only home of SQLAlchemy."""
