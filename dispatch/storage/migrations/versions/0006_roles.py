"""Managers, prescribers and auditors; keys that are limited to some of what their role may."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    roles = "'admin', 'manager', 'coordinator', 'driver', 'beneficiary', 'prescriber', 'partner', 'auditor'"
    with op.batch_alter_table("api_key") as table:
        table.drop_constraint(op.f("ck_api_key_role"), type_="check")
        table.create_check_constraint(op.f("ck_api_key_role"), sa.text(f"role IN ({roles})"))
    op.add_column("api_key", sa.Column("scopes", sa.JSON(), nullable=True))
