"""Whom people prefer to be driven by, and whom volunteers know well."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.migrations.ownership import guard, points_to

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tie",
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("beneficiary_id", sa.Uuid(), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        points_to("tie", "volunteer_id", "volunteer"),
        points_to("tie", "beneficiary_id", "beneficiary"),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_tie_territory_id")),
        sa.PrimaryKeyConstraint("volunteer_id", "beneficiary_id", name=op.f("pk_tie")),
        sa.CheckConstraint("preferred OR known", name=op.f("ck_tie_says_something")),
    )
    op.create_index(op.f("ix_tie_beneficiary_id"), "tie", ["beneficiary_id"])
    guard("tie", solver="SELECT")
