"""The day as it is driven: stops of runs, taps, and what volunteers and people were last told."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import GeoPoint, Instant
from dispatch.storage.migrations.ownership import guard, of_territory, points_to

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_stop",
        *of_territory("run_stop"),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("leg_id", sa.Uuid(), nullable=True),
        sa.Column("place", GeoPoint(), nullable=False),
        sa.Column("arrive_at", Instant(timezone=True), nullable=False),
        sa.Column("depart_at", Instant(timezone=True), nullable=False),
        sa.Column("metres", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('home', 'position', 'aboard', 'pickup', 'dropoff')", name=op.f("ck_run_stop_kind")),
        sa.CheckConstraint(
            "(leg_id IS NULL) = (kind IN ('home', 'position'))", name=op.f("ck_run_stop_people_ride_between_pickup_and_dropoff")
        ),
        points_to("run_stop", "run_id", "run"),
        points_to("run_stop", "leg_id", "leg"),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_run_stop_run_id_number")),
    )
    op.create_table(
        "tap",
        *of_territory("tap"),
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("noted_at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('en_route', 'at_pickup', 'on_board', 'completed', 'no_show', 'missed')", name=op.f("ck_tap_state")),
        points_to("tap", "leg_id", "leg"),
    )
    op.create_index(op.f("ix_tap_leg_id_at"), "tap", ["leg_id", "at"])
    op.create_table(
        "publication",
        *of_territory("publication"),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", Instant(timezone=True), nullable=False),
        points_to("publication", "volunteer_id", "volunteer"),
        sa.UniqueConstraint("volunteer_id", "service_date", name=op.f("uq_publication_volunteer_id_service_date")),
    )
    op.create_table(
        "told_ride",
        *of_territory("told_ride"),
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("told_pickup_at", Instant(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        points_to("told_ride", "leg_id", "leg"),
        points_to("told_ride", "volunteer_id", "volunteer"),
        sa.UniqueConstraint("leg_id", name=op.f("uq_told_ride_leg_id")),
    )
    guard("run_stop", app="SELECT, INSERT, UPDATE, DELETE", solver="SELECT, INSERT, DELETE")
    guard("tap", app="SELECT, INSERT")
    guard("publication", app="SELECT, INSERT, UPDATE")
    guard("told_ride", app="SELECT, INSERT, UPDATE")
