"""Accounts, one-time links and logins. People and requests may be entered by accounts too, so that `entered_by` points to no single table."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NEW = ("account", "one_time_link", "login")
_ROLES = "'admin', 'manager', 'coordinator', 'driver', 'beneficiary', 'prescriber', 'partner', 'auditor'"


def upgrade() -> None:
    bind = op.get_bind()
    sqlite = bind.dialect.name == "sqlite"
    # SQLite changes a table by making it anew, which would lose its triggers, and finds fault with those of others meanwhile
    triggers = bind.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all() if sqlite else []
    for trigger in triggers:
        op.execute(sa.text(f"DROP TRIGGER {trigger.name}"))
    for name in ("beneficiary", "trip_request"):
        with op.batch_alter_table(name) as table:
            table.drop_constraint(op.f(f"fk_{name}_entered_by"), type_="foreignkey")
    for trigger in triggers:
        bind.exec_driver_sql(trigger.sql)
    _tables()
    for statement in _sqlite() if sqlite else _postgresql():
        op.execute(sa.text(statement))


def _tables() -> None:
    def opens(name: str, *columns: sa.Column[object], **rest: sa.Constraint) -> None:
        op.create_table(
            name,
            *columns,
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.Column("territory_id", sa.Uuid(), nullable=True),
            sa.Column("role", sa.String(length=20), nullable=False),
            sa.Column("holder_id", sa.Uuid(), nullable=True),
            sa.Column("created_at", Instant(timezone=True), nullable=False),
            sa.CheckConstraint(f"role IN ({_ROLES})", name=op.f(f"ck_{name}_role")),
            sa.CheckConstraint("(role = 'admin') = (territory_id IS NULL)", name=op.f(f"ck_{name}_admin_is_of_no_territory")),
            sa.CheckConstraint("(role IN ('driver', 'beneficiary')) = (holder_id IS NOT NULL)", name=op.f(f"ck_{name}_holder")),
            sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f(f"fk_{name}_territory_id")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
            *rest.values(),
        )
        op.create_index(op.f(f"ix_{name}_holder_id"), name, ["holder_id"])

    opens(
        "account",
        sa.Column("login_digest", sa.String(length=64), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", Instant(timezone=True), nullable=True),
        person=sa.ForeignKeyConstraint(
            ["territory_id", "id"], ["person.territory_id", "person.id"], name=op.f("fk_account_territory_id_id")
        ),
        ended=sa.CheckConstraint("(login_digest IS NULL) = (ended_at IS NOT NULL)", name=op.f("ck_account_ended_or_not")),
        unique=sa.UniqueConstraint("login_digest", name=op.f("uq_account_login_digest")),
    )
    op.create_index(op.f("ix_account_territory_id"), "account", ["territory_id"])
    opens(
        "one_time_link",
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("used_at", Instant(timezone=True), nullable=True),
        account=sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_one_time_link_account_id")),
        unique=sa.UniqueConstraint("token_sha256", name=op.f("uq_one_time_link_token_sha256")),
    )
    op.create_index(op.f("ix_one_time_link_account_id"), "one_time_link", ["account_id"])
    opens(
        "login",
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("seen_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        unique=sa.UniqueConstraint("token_sha256", name=op.f("uq_login_token_sha256")),
    )
    op.create_index(op.f("ix_login_actor_id"), "login", ["actor_id"])
    for name in ("one_time_link", "login"):
        op.create_index(op.f(f"ix_{name}_expires_at"), name, ["expires_at"])


def _postgresql() -> list[str]:
    """As for keys: looked for before the territory is known; inside a territory only its own are there. Planners have no right."""
    made = []
    for name in _NEW:
        made += [
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own_territory ON {name} USING (acting_territory() IS NULL OR territory_id = acting_territory())",
            f"GRANT SELECT, INSERT, UPDATE{'' if name == 'account' else ', DELETE'} ON {name} TO allons_app",
        ]
    return made


def _sqlite() -> list[str]:
    """The same for writing."""
    made = []
    for name in _NEW:
        for verb, rows in (("insert", ("NEW",)), ("update", ("NEW", "OLD")), ("delete", ("OLD",))):
            foreign = " OR ".join(f"{row}.territory_id IS NOT acting_territory()" for row in rows)
            made.append(
                f"CREATE TRIGGER {name}_own_{verb} BEFORE {verb} ON {name} WHEN acting_territory() IS NOT NULL AND ({foreign}) "
                "BEGIN SELECT raise(ABORT, 'another territory'); END"
            )
    return made
