"""Offers that are one question to one volunteer: the database sees to it that nobody's answer is about somebody else's offers."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OF_ANOTHER = "EXISTS (SELECT 1 FROM offer AS other WHERE other.id = NEW.bundle_id AND other.volunteer_id <> NEW.volunteer_id)"


def upgrade() -> None:
    op.add_column("offer", sa.Column("bundle_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_offer_bundle_id"), "offer", ["bundle_id"])
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _postgresql() if postgresql else _sqlite():
        op.execute(sa.text(statement))


def _postgresql() -> list[str]:
    return [
        f"""CREATE FUNCTION refuse_mixed_bundle() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {_OF_ANOTHER} THEN
                RAISE EXCEPTION 'asks somebody else' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER one_volunteer BEFORE INSERT OR UPDATE OF bundle_id, volunteer_id ON offer "
        "FOR EACH ROW EXECUTE FUNCTION refuse_mixed_bundle()",
    ]


def _sqlite() -> list[str]:
    return [
        f"""CREATE TRIGGER offer_one_volunteer_{verb} BEFORE {on} ON offer WHEN {_OF_ANOTHER} BEGIN
            SELECT raise(ABORT, 'asks somebody else'); END"""
        for verb, on in (("insert", "INSERT"), ("update", "UPDATE OF bundle_id, volunteer_id"))
    ]
