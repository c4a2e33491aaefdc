"""Rides that come again: what was asked for, and each date once."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant
from dispatch.storage.migrations.ownership import guard, of_territory, points_to

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ride_series",
        *of_territory("ride_series"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("beneficiary_id", sa.Uuid(), nullable=False),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("made_until", sa.Date(), nullable=False),
        sa.Column("follows", sa.Uuid(), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("by_staff", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        points_to("ride_series", "beneficiary_id", "beneficiary"),
        sa.ForeignKeyConstraint(
            ["territory_id", "follows"], ["ride_series.territory_id", "ride_series.id"], name=op.f("fk_ride_series_territory_id_follows")
        ),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_ride_series_territory_id_id")),
    )
    op.create_index(op.f("ix_ride_series_beneficiary_id"), "ride_series", ["beneficiary_id"])
    op.create_index(op.f("ix_ride_series_territory_id_made_until"), "ride_series", ["territory_id", "made_until"])
    op.create_index(op.f("ix_ride_series_territory_id_created_at_id"), "ride_series", ["territory_id", "created_at", "id"])
    op.create_table(
        "series_date",
        *of_territory("series_date"),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("moved_to", sa.Date(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=True),
        points_to("series_date", "series_id", "ride_series"),
        points_to("series_date", "request_id", "trip_request"),
        sa.UniqueConstraint("series_id", "day", name=op.f("uq_series_date_series_id_day")),
        sa.UniqueConstraint("request_id", name=op.f("uq_series_date_request_id")),
        sa.CheckConstraint("request_id IS NOT NULL OR reason IS NOT NULL", name=op.f("ck_series_date_ride_or_reason")),
    )
    for name in ("ride_series", "series_date"):
        guard(name)
