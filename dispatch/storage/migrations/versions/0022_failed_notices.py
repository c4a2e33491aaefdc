"""What could not be told is looked for at every look at the day: it has an index of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    failed = sa.text("state = 'failed'")
    op.create_index("ix_notice_failed", "notice", ["territory_id", "created_at"], sqlite_where=failed, postgresql_where=failed)
