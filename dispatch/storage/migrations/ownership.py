"""What every table of a territory needs besides its columns: nobody of another territory reads or writes it. Called by migrations.

In: a table's name. Out: statements. Migrations that ran with them will not run again: what is here is added to, not changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

PEOPLE_WRITE = "SELECT, INSERT, UPDATE, DELETE"


def guard(name: str, *, app: str = PEOPLE_WRITE, solver: str = "") -> None:
    """Keep a new table to its territory; rights of who answers people and of planners (PostgreSQL; SQLite has triggers for writing)."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _postgresql(name, app, solver) if postgresql else _sqlite(name):
        op.execute(sa.text(statement))


def _postgresql(name: str, app: str, solver: str) -> list[str]:
    made = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY own_territory ON {name} USING (territory_id = acting_territory())",
        f"GRANT {app} ON {name} TO allons_app",
    ]
    return [*made, f"GRANT {solver} ON {name} TO allons_solver"] if solver else made


def _sqlite(name: str) -> list[str]:
    made = []
    for verb, rows in (("insert", ("NEW",)), ("update", ("NEW", "OLD")), ("delete", ("OLD",))):
        foreign = " OR ".join(f"{row}.territory_id IS NOT acting_territory()" for row in rows)
        made.append(
            f"CREATE TRIGGER {name}_own_{verb} BEFORE {verb} ON {name} WHEN {foreign} BEGIN SELECT raise(ABORT, 'another territory'); END"
        )
    return made


def of_territory(name: str) -> list[sa.Column[object] | sa.Constraint]:
    """The columns and keys of a row that belongs to a territory."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f(f"fk_{name}_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    ]


def points_to(name: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    """A reference that stays in the territory."""
    key = op.f(f"fk_{name}_territory_id_{column}")
    return sa.ForeignKeyConstraint(["territory_id", column], [f"{parent}.territory_id", f"{parent}.id"], name=key)


@contextmanager
def triggers_aside() -> Iterator[None]:
    """SQLite changes a table by making it anew, which would lose its triggers, and finds fault with those of others meanwhile."""
    bind = op.get_bind()
    found = "SELECT name, type, sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
    there = bind.execute(sa.text(found)).all() if bind.dialect.name == "sqlite" else []
    for made in there:
        op.execute(sa.text(f"DROP {made.type} {made.name}"))
    yield
    for made in there:
        bind.exec_driver_sql(made.sql)
