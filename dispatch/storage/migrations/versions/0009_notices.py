"""The outbox, texts of territories, webhooks with their deliveries, calendars' links; and how people are told things."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NEW = ("notice", "notice_text", "webhook_endpoint", "webhook_delivery", "calendar_link")
_KINDS = (
    "'offer_sent', 'offer_reminder', 'offer_withdrawn', 'offer_lapsed', 'run_published', 'run_changed', 'run_cancelled', 'ride_confirmed', "
    "'ride_reminder', 'ride_changed', 'ride_cancelled', 'ride_late', 'ride_unmet', 'request_received', 'request_refused', "
    "'cancel_confirmed', 'will_call_heard', 'credential_expiring', 'credential_expired', 'driver_needed', 'legs_reopened', 'login_link', "
    "'login_code'"
)
_FORMS = "'sms', 'email', 'call'"


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in (
        "beneficiary",
        "volunteer",
    ):  # as both databases understand it: SQLite would otherwise make the table anew, without triggers
        for column, kind, values in (
            ("language", "VARCHAR(2) NOT NULL DEFAULT 'fr'", "'fr', 'en'"),
            ("preferred_channel", "VARCHAR(5)", _FORMS),
        ):
            check = f"CONSTRAINT ck_{name}_{column} CHECK ({column} IN ({values}))"
            op.execute(sa.text(f"ALTER TABLE {name} ADD COLUMN {column} {kind} {check}"))
    _outbox()
    _webhooks()
    op.create_table(
        "calendar_link",
        *_of_territory("calendar_link"),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "volunteer_id"],
            ["volunteer.territory_id", "volunteer.id"],
            name=op.f("fk_calendar_link_territory_id_volunteer_id"),
        ),
        sa.UniqueConstraint("territory_id", "volunteer_id", name=op.f("uq_calendar_link_territory_id_volunteer_id")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_calendar_link_token_sha256")),
    )
    for statement in _sqlite() if sqlite else _postgresql():
        op.execute(sa.text(statement))


def _of_territory(name: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f(f"fk_{name}_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    ]


def _sent(name: str, states: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("state", sa.String(length=10), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_try_at", Instant(timezone=True), nullable=False),
        sa.Column("token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("sent_at", Instant(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.CheckConstraint(f"state IN ({states})", name=op.f(f"ck_{name}_state")),
        sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name=op.f(f"ck_{name}_sent_at_some_time")),
    ]


def _index(name: str, table: str, columns: list[str], condition: str | None = None) -> None:
    partial = {} if condition is None else {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
    op.create_index(name, table, columns, **partial)  # type: ignore[arg-type]


def _outbox() -> None:
    op.create_table(
        "notice",
        *_of_territory("notice"),
        *_sent("notice", "'queued', 'sending', 'sent', 'failed', 'to_call', 'called', 'dropped'"),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("about", sa.Uuid(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=True),
        sa.Column("link_path", sa.String(length=200), nullable=True),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("not_before", Instant(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=True),
        sa.Column("refused", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_notice_kind")),
        sa.ForeignKeyConstraint(
            ["territory_id", "person_id"], ["person.territory_id", "person.id"], name=op.f("fk_notice_territory_id_person_id")
        ),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_notice_territory_id_id")),
        sa.UniqueConstraint("territory_id", "key", name=op.f("uq_notice_territory_id_key")),
    )
    _index("ix_notice_waiting", "notice", ["territory_id", "next_try_at"], "state IN ('queued', 'sending')")
    _index("ix_notice_order", "notice", ["territory_id", "person_id", "number"])
    _index("ix_notice_calls", "notice", ["territory_id", "next_try_at"], "state = 'to_call'")
    _index(op.f("ix_notice_territory_id_created_at_id"), "notice", ["territory_id", "created_at", "id"])
    _index(op.f("ix_notice_about"), "notice", ["about"])
    op.create_table(
        "notice_text",
        *_of_territory("notice_text"),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("form", sa.String(length=5), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_notice_text_kind")),
        sa.CheckConstraint("language IN ('fr', 'en')", name=op.f("ck_notice_text_language")),
        sa.CheckConstraint(f"form IN ({_FORMS})", name=op.f("ck_notice_text_form")),
        sa.UniqueConstraint("territory_id", "kind", "language", "form", name=op.f("uq_notice_text_territory_id_kind_language_form")),
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoint",
        *_of_territory("webhook_endpoint"),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("disabled_at", Instant(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_webhook_endpoint_territory_id_id")),
    )
    op.create_table(
        "webhook_delivery",
        *_sent("webhook_delivery", "'queued', 'sending', 'sent', 'failed'"),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_webhook_delivery_event_id")),
        sa.ForeignKeyConstraint(
            ["territory_id", "endpoint_id"],
            ["webhook_endpoint.territory_id", "webhook_endpoint.id"],
            name=op.f("fk_webhook_delivery_territory_id_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_webhook_delivery_territory_id")),
        sa.PrimaryKeyConstraint("event_id", "endpoint_id", name=op.f("pk_webhook_delivery")),
    )
    _index("ix_webhook_delivery_waiting", "webhook_delivery", ["territory_id", "next_try_at"], "state IN ('queued', 'sending')")
    _index("ix_webhook_delivery_order", "webhook_delivery", ["endpoint_id", "subject_id", "seq"])


def _tell(matching: str, moment: str) -> str:
    """Every event, to every address that asked for its kind, in the event's own transaction."""
    return f"""INSERT INTO webhook_delivery (event_id, endpoint_id, territory_id, subject_id, seq, next_try_at)
        SELECT NEW.id, w.id, NEW.territory_id, NEW.subject_id, NEW.seq, {moment} FROM webhook_endpoint w
        WHERE w.territory_id = NEW.territory_id AND w.disabled_at IS NULL AND {matching};"""  # noqa: S608


def _postgresql() -> list[str]:
    """Planners queue notices and take back those that wait; of other systems they know nothing: the trigger acts for them."""
    made = []
    for name in _NEW:
        door = "acting_territory() IS NULL OR " if name == "calendar_link" else ""  # looked at before it is known whose it is
        made += [
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own_territory ON {name} USING ({door}territory_id = acting_territory())",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO allons_app",
        ]
    return [
        *made,
        "GRANT SELECT, INSERT, UPDATE (state) ON notice TO allons_solver",
        f"""CREATE FUNCTION tell_others() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            {_tell("w.events::jsonb @> to_jsonb(NEW.kind || '.' || NEW.after)", "NEW.at")}
            RETURN NULL;
        END $$""",
        "CREATE TRIGGER tell_others AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION tell_others()",
    ]


def _sqlite() -> list[str]:
    matching = "EXISTS (SELECT 1 FROM json_each(w.events) WHERE value = NEW.kind || '.' || NEW.after)"
    made = [f"CREATE TRIGGER event_tell_others AFTER INSERT ON event BEGIN {_tell(matching, 'NEW.at')} END"]
    for name in _NEW:
        acting = "acting_territory() IS NOT NULL AND " if name == "calendar_link" else ""
        for verb, rows in (("insert", ("NEW",)), ("update", ("NEW", "OLD")), ("delete", ("OLD",))):
            foreign = " OR ".join(f"{row}.territory_id IS NOT acting_territory()" for row in rows)
            made.append(
                f"CREATE TRIGGER {name}_own_{verb} BEFORE {verb} ON {name} WHEN {acting}({foreign}) "
                "BEGIN SELECT raise(ABORT, 'another territory'); END"
            )
    own = ("id", "kind", "person_id", "about", "facts", "link", "link_path", "number")  # PostgreSQL: rights to columns
    return made + [
        f"CREATE TRIGGER keep_notice_{column} BEFORE UPDATE OF {column} ON notice WHEN acting_role() = 'solver' "
        "BEGIN SELECT raise(ABORT, 'not the planner''s'); END"
        for column in own
    ]
