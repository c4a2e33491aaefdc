"""By which way an offer was answered, and why somebody was asked again."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("offer", sa.Column("answered_via", sa.String(length=10), nullable=True))
    op.add_column("offer", sa.Column("again_reason", sa.String(length=20), nullable=True))
