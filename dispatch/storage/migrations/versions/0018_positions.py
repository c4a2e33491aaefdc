"""Where a volunteer is while a run goes on, if he or she shares it; the database forgets it with the end of the run. Rules for being late."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import GeoPoint, Instant
from dispatch.storage.migrations.ownership import guard, of_territory, points_to

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OVER = "NEW.state NOT IN ('planned', 'published', 'started')"


def upgrade() -> None:
    op.create_table(
        "run_position",
        *of_territory("run_position"),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("place", GeoPoint(), nullable=False),
        sa.Column("accuracy_m", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("reaches_at", Instant(timezone=True), nullable=True),
        sa.CheckConstraint("(number IS NULL) = (reaches_at IS NULL)", name=op.f("ck_run_position_reaches_a_stop")),
        points_to("run_position", "run_id", "run"),
        sa.UniqueConstraint("run_id", name=op.f("uq_run_position_run_id")),
    )
    guard("run_position", solver="SELECT, DELETE")  # planners end runs too, and with a run its position goes
    forget = "DELETE FROM run_position WHERE run_id = NEW.id"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"""CREATE FUNCTION forget_position() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN {forget}; RETURN NULL; END $$"""
        )
        op.execute(f"CREATE TRIGGER forget_position AFTER UPDATE ON run FOR EACH ROW WHEN ({_OVER}) EXECUTE FUNCTION forget_position()")
    else:
        op.execute(f"CREATE TRIGGER run_forget_position AFTER UPDATE OF state ON run WHEN {_OVER} BEGIN {forget}; END")
