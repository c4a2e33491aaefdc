"""Runs count how often their times or state have changed, by themselves: a calendar that is read elsewhere can tell what is newer."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_CHANGED = "NEW.starts_at {is_not} OLD.starts_at OR NEW.ends_at {is_not} OLD.ends_at OR NEW.state {is_not} OLD.state"


def upgrade() -> None:
    op.add_column("run", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    for statement in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgresql():
        op.execute(sa.text(statement))


def _postgresql() -> list[str]:
    return [
        f"""CREATE FUNCTION count_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.revision := OLD.revision + CASE WHEN {_CHANGED.format(is_not="IS DISTINCT FROM")} THEN 1 ELSE 0 END;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER count_revisions BEFORE UPDATE ON run FOR EACH ROW EXECUTE FUNCTION count_revisions()",
    ]


def _sqlite() -> list[str]:
    """SQLite's triggers cannot change the row that comes in: it is counted right after."""
    guard = op.get_bind().execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'keep_run'")).scalar_one()
    own = guard.replace("UPDATE ON run", "UPDATE OF state, version, starts_at, ends_at ON run")  # counting is nobody's step
    return [
        "DROP TRIGGER keep_run",
        own,
        f"""CREATE TRIGGER run_count_revisions AFTER UPDATE OF starts_at, ends_at, state ON run WHEN {_CHANGED.format(is_not="IS NOT")} BEGIN
            UPDATE run SET revision = OLD.revision + 1 WHERE id = NEW.id; END""",  # noqa: S608
    ]
