"""That people agreed to their data being given, to which wording, when, and who says so: kept as it was noted."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant
from dispatch.storage.migrations.ownership import guard, of_territory, points_to

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent",
        *of_territory("consent"),
        sa.Column("beneficiary_id", sa.Uuid(), nullable=False),
        sa.Column("wording", sa.String(length=20), nullable=False),
        sa.Column("noted_at", Instant(timezone=True), nullable=False),
        sa.Column("noted_by", sa.Uuid(), nullable=True),
        points_to("consent", "beneficiary_id", "beneficiary"),
    )
    op.create_index(op.f("ix_consent_beneficiary_id"), "consent", ["beneficiary_id"])
    guard("consent", app="SELECT, INSERT, DELETE")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TRIGGER never_changed BEFORE UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    else:
        op.execute("CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent BEGIN SELECT raise(ABORT, 'kept'); END")
