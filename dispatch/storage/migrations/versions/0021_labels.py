"""What else a request says: the stay, waiting, children's seats, minutes to get in and out, and how its places are found, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("stay_minutes", "load_minutes", "unload_minutes"):
        op.add_column("trip_request", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("trip_request", sa.Column("wait_at_destination", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("trip_request", sa.Column("child_seats", sa.Integer(), server_default="0", nullable=False))
    op.add_column("trip_request", sa.Column("places", sa.LargeBinary(), nullable=True))
