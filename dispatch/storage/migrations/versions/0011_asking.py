"""What a request is for and through whom it came, ways back at a time not known yet, and needs that nobody met."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import GeoPoint, Instant
from dispatch.storage.migrations.ownership import guard, of_territory, points_to

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trip_request", sa.Column("purpose", sa.String(length=20), nullable=True))
    op.add_column("trip_request", sa.Column("channel", sa.String(length=12), server_default="api", nullable=False))
    op.add_column("trip_request", sa.Column("return_open", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "unmet_need",
        *of_territory("unmet_need"),
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("origin", GeoPoint(), nullable=False),
        sa.Column("destination", GeoPoint(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=True),
        sa.Column("cause", sa.String(length=30), nullable=False),
        sa.Column("noted_at", Instant(timezone=True), nullable=False),
        sa.Column("solved_by", sa.Uuid(), nullable=True),
        points_to("unmet_need", "leg_id", "leg"),
        sa.ForeignKeyConstraint(
            ["territory_id", "solved_by"],
            ["trip_request.territory_id", "trip_request.id"],
            name=op.f("fk_unmet_need_territory_id_solved_by"),
        ),
        sa.UniqueConstraint("leg_id", name=op.f("uq_unmet_need_leg_id")),
    )
    op.create_index(op.f("ix_unmet_need_territory_id_noted_at_id"), "unmet_need", ["territory_id", "noted_at", "id"])
    guard("unmet_need")
