"""Requests that somebody looks at first; legs that are driven, missed or never found; and a territory's rules for dealing with people."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant
from dispatch.world import World

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_REQUEST = ("submitted", "accepted", "refused", "cancelled", "closed")
_LEG = (
    "pending", "on_call", "standby", "proposed", "offered", "confirmed", "en_route", "at_pickup", "on_board", "completed", "no_show",
    "missed", "cancelled", "late_cancelled", "unmet",
)  # fmt: skip
_OUT = "no_show missed cancelled late_cancelled"
_TRANSITIONS: dict[str, dict[str, str]] = {
    "request": {"submitted": "accepted refused cancelled", "accepted": "closed cancelled"},
    "leg": {
        "pending": "proposed offered standby on_call cancelled late_cancelled unmet",
        "on_call": "pending cancelled late_cancelled no_show unmet",
        "standby": "proposed offered pending cancelled late_cancelled unmet",
        "proposed": "offered pending standby cancelled late_cancelled unmet",
        "offered": "confirmed pending standby cancelled late_cancelled unmet",
        "confirmed": f"pending standby en_route at_pickup on_board completed {_OUT}",
        "en_route": f"pending standby at_pickup on_board completed {_OUT}",
        "at_pickup": f"pending standby on_board completed {_OUT}",
        "on_board": "completed",
    },
}


def upgrade() -> None:
    bind = op.get_bind()
    sqlite = bind.dialect.name == "sqlite"
    op.add_column("territory", sa.Column("rules", sa.JSON(), server_default="{}", nullable=False))
    # SQLite changes a table by making it anew, which would lose its triggers, and finds fault with those of others meanwhile
    found = "SELECT name, type, sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
    there = bind.execute(sa.text(found)).all() if sqlite else []
    for made in there:
        op.execute(sa.text(f"DROP {made.type} {made.name}"))
    for name, states in (("trip_request", _REQUEST), ("leg", _LEG)):
        with op.batch_alter_table(name) as table:
            table.drop_constraint(op.f(f"ck_{name}_state"), type_="check")
            table.create_check_constraint(op.f(f"ck_{name}_state"), sa.text(f"state IN ({', '.join(map(repr, states))})"))
    _transitions()
    for made in there:
        bind.exec_driver_sql(_with_proposed(made.sql))
    if not sqlite:
        [body] = bind.execute(sa.text("SELECT pg_get_functiondef('keep_agreed'::regproc)")).one()
        bind.exec_driver_sql(_with_proposed(body).replace("%", "%%"))
    _accept_what_waits(sqlite)


def _with_proposed(guard: str) -> str:
    """Planners may also propose (0002: what they may do with legs)."""
    return guard.replace("('pending', 'standby', 'offered')", "('pending', 'standby', 'proposed', 'offered')")


def _transitions() -> None:
    transition = sa.table("transition", *(sa.column(name, sa.String()) for name in ("kind", "before", "after")))
    bind = op.get_bind()
    there = {tuple(row) for row in bind.execute(sa.select(transition)).all()}
    steps = {
        (kind, before, after) for kind, table in _TRANSITIONS.items() for before, followers in table.items() for after in followers.split()
    }
    bind.execute(sa.text("DELETE FROM transition WHERE kind = 'request' AND before = 'submitted' AND after = 'closed'"))  # never taken
    op.bulk_insert(transition, [{"kind": k, "before": b, "after": a} for k, b, a in sorted(steps - there)])


def _accept_what_waits(sqlite: bool) -> None:
    """What was asked for before was planned without anybody's yes: it is accepted."""
    bind, world = op.get_bind(), World()
    ids = ("id", "territory_id", "subject_id")
    kinds: dict[str, Any] = {**dict.fromkeys(ids, sa.Uuid()), "seq": sa.Integer(), "version": sa.Integer(), "at": Instant()}

    def columns(table: str, *names: str) -> Any:
        return sa.table(table, *(sa.column(name, kinds.get(name, sa.String())) for name in names))

    territory, request = columns("territory", "id"), columns("trip_request", "id", "territory_id", "state", "version")
    event = columns("event", *ids, "kind", "seq", "before", "after", "at")
    for territory_id in bind.scalars(sa.select(territory.c.id)).all():
        if sqlite:
            bind.info["territory"] = territory_id.hex
        else:
            bind.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(territory_id)})
        waiting = sa.select(request).where(request.c.territory_id == territory_id, request.c.state == "submitted")
        for row in bind.execute(waiting).all():
            step = {"kind": "request", "seq": row.version + 1, "before": "submitted", "after": "accepted", "at": world.now()}
            bind.execute(sa.insert(event).values(id=world.new_id(), territory_id=territory_id, subject_id=row.id, **step))
