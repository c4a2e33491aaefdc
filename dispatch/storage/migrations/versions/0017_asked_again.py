"""Whoever said no to a way, or nothing, is not asked about it again, unless somebody gave a reason: the database sees to it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ASKED_BEFORE = """EXISTS (
    SELECT 1 FROM offer AS asking
    JOIN offer AS before ON before.volunteer_id = asking.volunteer_id AND before.id <> asking.id AND before.state IN ('declined', 'expired')
    JOIN offer_leg AS about ON about.offer_id = before.id AND about.leg_id = NEW.leg_id
    WHERE asking.id = NEW.offer_id AND asking.again_reason IS NULL)"""


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _postgresql() if postgresql else _sqlite():
        op.execute(sa.text(statement))


def _postgresql() -> list[str]:
    return [
        f"""CREATE FUNCTION refuse_asking_again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {_ASKED_BEFORE} THEN
                RAISE EXCEPTION 'was asked about it before' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER never_twice BEFORE INSERT OR UPDATE OF offer_id, leg_id ON offer_leg "
        "FOR EACH ROW EXECUTE FUNCTION refuse_asking_again()",
    ]


def _sqlite() -> list[str]:
    return [
        f"""CREATE TRIGGER offer_leg_never_twice_{verb} BEFORE {on} ON offer_leg WHEN {_ASKED_BEFORE} BEGIN
            SELECT raise(ABORT, 'was asked about it before'); END"""
        for verb, on in (("insert", "INSERT"), ("update", "UPDATE OF offer_id, leg_id"))
    ]
