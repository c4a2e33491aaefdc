"""The first tables. Written by `alembic revision --autogenerate` from tables.py; on PostgreSQL points need PostGIS."""

import sqlalchemy as sa
from alembic import op

import dispatch.storage.geometry

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.create_table(
        "territory",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=400), server_default="", nullable=False),
        sa.Column("created_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory")),
        sa.UniqueConstraint("name", name=op.f("uq_territory_name")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("expires_at", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.Column("revoked_at", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.CheckConstraint("(role = 'admin') = (territory_id IS NULL)", name=op.f("ck_api_key_admin_is_of_no_territory")),
        sa.CheckConstraint("(role IN ('driver', 'beneficiary')) = (holder_id IS NOT NULL)", name=op.f("ck_api_key_holder")),
        sa.CheckConstraint("role IN ('admin', 'coordinator', 'driver', 'beneficiary', 'partner')", name=op.f("ck_api_key_role")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_api_key_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_territory_id"), ["territory_id"], unique=False)

    op.create_table(
        "round",
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("queued_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("started_at", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.Column("finished_at", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.Column("plan", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_round_state")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_round_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_round_territory_id_id")),
    )
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_territory_id_service_date"), ["territory_id", "service_date"], unique=False)
        batch_op.create_index(
            "uq_round_queued",
            ["territory_id", "service_date"],
            unique=True,
            sqlite_where=sa.text("state = 'queued'"),
            postgresql_where=sa.text("state = 'queued'"),
        )

    op.create_table(
        "volunteer",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=26), nullable=True),
        sa.Column("home", dispatch.storage.geometry.GeoPoint(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("wheelchair_places", sa.Integer(), nullable=False),
        sa.Column("boot", sa.Integer(), nullable=False),
        sa.Column("accepts_needs", sa.JSON(), nullable=False),
        sa.Column("max_km", sa.Double(), nullable=True),
        sa.Column("max_rides", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("seats >= 0 AND wheelchair_places >= 0 AND boot >= 0", name=op.f("ck_volunteer_capacity")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_volunteer_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volunteer")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_volunteer_territory_id_id")),
    )
    op.create_table(
        "availability",
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("ends_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("created_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_availability_ordered")),
        sa.ForeignKeyConstraint(
            ["territory_id", "volunteer_id"],
            ["volunteer.territory_id", "volunteer.id"],
            name=op.f("fk_availability_territory_id_volunteer_id"),
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_availability_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability")),
    )
    with op.batch_alter_table("availability", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_availability_territory_id_starts_at"), ["territory_id", "starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_availability_volunteer_id"), ["volunteer_id"], unique=False)

    op.create_table(
        "beneficiary",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=26), nullable=True),
        sa.Column("home", dispatch.storage.geometry.GeoPoint(), nullable=False),
        sa.Column("wheelchair", sa.Boolean(), nullable=False),
        sa.Column("boot", sa.Integer(), nullable=False),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("load_minutes", sa.Integer(), nullable=False),
        sa.Column("unload_minutes", sa.Integer(), nullable=False),
        sa.Column("max_ride_minutes", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["entered_by"], ["api_key.id"], name=op.f("fk_beneficiary_entered_by")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_beneficiary_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_beneficiary")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_beneficiary_territory_id_id")),
    )
    op.create_table(
        "refusal",
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("beneficiary_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "beneficiary_id"],
            ["beneficiary.territory_id", "beneficiary.id"],
            name=op.f("fk_refusal_territory_id_beneficiary_id"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "volunteer_id"], ["volunteer.territory_id", "volunteer.id"], name=op.f("fk_refusal_territory_id_volunteer_id")
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_refusal_territory_id")),
        sa.PrimaryKeyConstraint("volunteer_id", "beneficiary_id", name=op.f("pk_refusal")),
    )
    op.create_table(
        "trip_request",
        sa.Column("beneficiary_id", sa.Uuid(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("origin", dispatch.storage.geometry.GeoPoint(), nullable=False),
        sa.Column("destination", dispatch.storage.geometry.GeoPoint(), nullable=False),
        sa.Column("arrive_by", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.Column("depart_after", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.Column("window_minutes", sa.Integer(), nullable=False),
        sa.Column("return_after", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.Column("return_window_minutes", sa.Integer(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("one_way_ok", sa.Boolean(), nullable=False),
        sa.Column("same_driver", sa.String(length=10), nullable=False),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('submitted', 'cancelled', 'closed')", name=op.f("ck_trip_request_state")),
        sa.CheckConstraint("(arrive_by IS NULL) <> (depart_after IS NULL)", name=op.f("ck_trip_request_one_time")),
        sa.CheckConstraint(
            "return_after IS NULL OR return_after >= coalesce(arrive_by, depart_after)", name=op.f("ck_trip_request_return_follows")
        ),
        sa.CheckConstraint("seats >= 1 AND window_minutes >= 0 AND priority >= 1", name=op.f("ck_trip_request_positive")),
        sa.ForeignKeyConstraint(["entered_by"], ["api_key.id"], name=op.f("fk_trip_request_entered_by")),
        sa.ForeignKeyConstraint(
            ["territory_id", "beneficiary_id"],
            ["beneficiary.territory_id", "beneficiary.id"],
            name=op.f("fk_trip_request_territory_id_beneficiary_id"),
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_trip_request_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trip_request")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_trip_request_territory_id_id")),
    )
    with op.batch_alter_table("trip_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trip_request_beneficiary_id"), ["beneficiary_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trip_request_territory_id_service_date"), ["territory_id", "service_date"], unique=False)

    op.create_table(
        "leg",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("direction IN ('outbound', 'return')", name=op.f("ck_leg_direction")),
        sa.CheckConstraint("state IN ('pending', 'standby', 'offered', 'confirmed', 'completed', 'cancelled')", name=op.f("ck_leg_state")),
        sa.ForeignKeyConstraint(
            ["territory_id", "request_id"], ["trip_request.territory_id", "trip_request.id"], name=op.f("fk_leg_territory_id_request_id")
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_leg_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leg")),
        sa.UniqueConstraint("request_id", "direction", name=op.f("uq_leg_request_id_direction")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_leg_territory_id_id")),
    )
    with op.batch_alter_table("leg", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leg_territory_id_state"), ["territory_id", "state"], unique=False)

    op.create_table(
        "offer",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sent_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("expires_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("answered_at", dispatch.storage.geometry.Instant(timezone=True), nullable=True),
        sa.Column("decline_reason", sa.String(length=30), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(state = 'declined') = (decline_reason IS NOT NULL)", name=op.f("ck_offer_decline_has_a_reason")),
        sa.CheckConstraint("state IN ('sent', 'accepted', 'declined', 'expired', 'withdrawn')", name=op.f("ck_offer_state")),
        sa.ForeignKeyConstraint(
            ["territory_id", "request_id"], ["trip_request.territory_id", "trip_request.id"], name=op.f("fk_offer_territory_id_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "round_id"], ["round.territory_id", "round.id"], name=op.f("fk_offer_territory_id_round_id")
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "volunteer_id"], ["volunteer.territory_id", "volunteer.id"], name=op.f("fk_offer_territory_id_volunteer_id")
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_offer_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_offer_territory_id_id")),
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_request_id"), ["request_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_offer_territory_id_state"), ["territory_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_offer_volunteer_id"), ["volunteer_id"], unique=False)

    op.create_table(
        "assignment",
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("told_pickup_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("pickup_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("dropoff_at", dispatch.storage.geometry.Instant(timezone=True), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("pickup_at <= dropoff_at", name=op.f("ck_assignment_ordered")),
        sa.ForeignKeyConstraint(["territory_id", "leg_id"], ["leg.territory_id", "leg.id"], name=op.f("fk_assignment_territory_id_leg_id")),
        sa.ForeignKeyConstraint(
            ["territory_id", "round_id"], ["round.territory_id", "round.id"], name=op.f("fk_assignment_territory_id_round_id")
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "volunteer_id"],
            ["volunteer.territory_id", "volunteer.id"],
            name=op.f("fk_assignment_territory_id_volunteer_id"),
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_assignment_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignment_volunteer_id"), ["volunteer_id"], unique=False)
        batch_op.create_index(
            "uq_assignment_active_leg", ["leg_id"], unique=True, sqlite_where=sa.text("active"), postgresql_where=sa.text("active")
        )

    op.create_table(
        "offer_leg",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["territory_id", "leg_id"], ["leg.territory_id", "leg.id"], name=op.f("fk_offer_leg_territory_id_leg_id")),
        sa.ForeignKeyConstraint(
            ["territory_id", "offer_id"], ["offer.territory_id", "offer.id"], name=op.f("fk_offer_leg_territory_id_offer_id")
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_offer_leg_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_leg")),
        sa.UniqueConstraint("offer_id", "leg_id", name=op.f("uq_offer_leg_offer_id_leg_id")),
    )
    with op.batch_alter_table("offer_leg", schema=None) as batch_op:
        batch_op.create_index("uq_offer_leg_open", ["leg_id"], unique=True, sqlite_where=sa.text("open"), postgresql_where=sa.text("open"))

    op.create_table(
        "unserved_leg",
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("sentence", sa.String(length=400), nullable=False),
        sa.Column("sentence_en", sa.String(length=400), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "leg_id"], ["leg.territory_id", "leg.id"], name=op.f("fk_unserved_leg_territory_id_leg_id")
        ),
        sa.ForeignKeyConstraint(
            ["territory_id", "round_id"], ["round.territory_id", "round.id"], name=op.f("fk_unserved_leg_territory_id_round_id")
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_unserved_leg_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unserved_leg")),
    )
    with op.batch_alter_table("unserved_leg", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unserved_leg_leg_id"), ["leg_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_unserved_leg_round_id"), ["round_id"], unique=False)
