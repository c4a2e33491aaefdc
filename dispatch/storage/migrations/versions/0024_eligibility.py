"""Who may ask for rides, in territories that ask for it; and which requests staff made past the rules."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant
from dispatch.storage.migrations.ownership import guard, of_territory, points_to

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "eligibility",
        *of_territory("eligibility"),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("rides_a_month", sa.Integer(), nullable=True),
        sa.Column("companion", sa.Boolean(), nullable=False),
        sa.Column("proof", sa.String(length=10), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=True),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("written_at", Instant(timezone=True), nullable=False),
        points_to("eligibility", "id", "beneficiary"),
        sa.CheckConstraint("kind IN ('unconditional', 'conditional', 'temporary')", name=op.f("ck_eligibility_kind")),
        sa.CheckConstraint("proof IN ('paper', 'referrer', 'declared')", name=op.f("ck_eligibility_proof")),
        sa.CheckConstraint("valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until", name=op.f("ck_eligibility_ordered")),
        sa.CheckConstraint("kind <> 'temporary' OR valid_until IS NOT NULL", name=op.f("ck_eligibility_temporary_ends")),
        sa.CheckConstraint("rides_a_month >= 1", name=op.f("ck_eligibility_some_rides")),
    )
    guard("eligibility")
    op.add_column("trip_request", sa.Column("override", sa.Boolean(), server_default=sa.false(), nullable=False))
