"""Table and queries of SMS that people send, and of whose number one came from.

What was written is sealed, and kept only as long as a human has to read it. A number is found by its keyed digest: nobody can tell from
the table whose it is. Written by `service.sms`.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.errors import NotFound
from dispatch.model.sms import OUTCOMES
from dispatch.storage.base import OfTerritory, Table, one_of, where
from dispatch.storage.rows import Rows
from dispatch.storage.tables import Beneficiary, Person, Volunteer
from dispatch.storage.vault import vault_of


class SmsIn(OfTerritory, Table):
    """An SMS that somebody sent. Its number is the gateway's own: delivered twice, it is the same one."""

    __tablename__ = "sms_in"
    __table_args__ = (
        one_of("outcome", OUTCOMES),
        sa.ForeignKeyConstraint(["territory_id", "person_id"], ["person.territory_id", "person.id"]),
        sa.UniqueConstraint("territory_id", "message_id"),
        sa.Index(None, "territory_id", "received_at", "id"),
        sa.Index("ix_sms_in_waiting", "territory_id", "received_at", **where("settled_at IS NULL")),
    )
    message_id: Mapped[str] = mapped_column(sa.String(200))
    received_at: Mapped[datetime]
    person_id: Mapped[UUID | None]  # none: nobody's number, or that of several
    about: Mapped[UUID | None]  # the offer or request that it answers
    outcome: Mapped[str] = mapped_column(sa.String(20))
    sealed: Mapped[bytes | None]  # number and words, until somebody has read them
    settled_at: Mapped[datetime | None]


class SmsRows(Rows):
    """SMS of a territory."""

    def sms_known(self, message_id: str) -> SmsIn | None:
        """What was received under a gateway's number."""
        query = sa.select(SmsIn).where(SmsIn.territory_id == self.territory_id, SmsIn.message_id == message_id)
        return self.session.scalars(query).one_or_none()

    def sms(self, sms_id: UUID) -> SmsIn:
        """One, ours until the transaction ends; NotFound."""
        query = sa.select(SmsIn).where(SmsIn.territory_id == self.territory_id, SmsIn.id == sms_id).with_for_update()
        found = self.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
        if found is None:
            raise NotFound
        return found

    def page_of_sms(self, waiting: bool, after: UUID | None, limit: int) -> Sequence[SmsIn]:
        """Newest first; `waiting`: those that somebody has to read only."""
        query = sa.select(SmsIn).where(SmsIn.territory_id == self.territory_id)
        query = query.where(SmsIn.settled_at.is_(None)) if waiting else query
        return self._newest(query, SmsIn, SmsIn.received_at, after, limit)

    def seal_sms(self, row_id: UUID, sender: str, text: str) -> bytes:
        """For this row only."""
        return vault_of(self.session).seal_text(row_id, json.dumps([sender, text]))

    def open_sms(self, row: SmsIn) -> tuple[str | None, str | None]:
        """Number and words, as long as they are kept."""
        if row.sealed is None:
            return None, None
        sender, text = json.loads(vault_of(self.session).open_text(row.id, row.sealed))
        return sender, text

    def people_at(self, number: str) -> tuple[list[Volunteer], list[Beneficiary]]:
        """Volunteers and beneficiaries whose own number this is, as `dialled` gives it."""
        digest = vault_of(self.session).digest(number)
        whose = sa.select(Person.id).where(Person.territory_id == self.territory_id, Person.phone_digest == digest)

        volunteers = sa.select(Volunteer).where(Volunteer.territory_id == self.territory_id, Volunteer.id.in_(whose))
        people = sa.select(Beneficiary).where(Beneficiary.territory_id == self.territory_id, Beneficiary.id.in_(whose))
        return list(self.session.scalars(volunteers.order_by(Volunteer.id))), list(self.session.scalars(people.order_by(Beneficiary.id)))

    def stop_sms(self, person_ids: Iterable[UUID], since: datetime | None) -> None:
        """These people get no SMS any more; None: they do again."""
        those = sa.update(Person).where(Person.territory_id == self.territory_id, Person.id.in_(list(person_ids)))
        self.session.execute(those.values(sms_stopped_at=since))

    def sms_stopped(self, person_id: UUID) -> bool:
        """Whether this person wants none."""
        query = sa.select(Person.sms_stopped_at).where(Person.territory_id == self.territory_id, Person.id == person_id)
        return self.session.scalars(query).one_or_none() is not None

    def forget_sms_of(self, person_id: UUID) -> None:
        """Nothing that an erased person wrote is kept."""
        theirs = sa.update(SmsIn).where(SmsIn.territory_id == self.territory_id, SmsIn.person_id == person_id)
        self.session.execute(theirs.values(sealed=None))

    def forget_sms_before(self, moment: datetime) -> int:
        """Remove what came long ago; how many."""
        old = sa.delete(SmsIn).where(SmsIn.territory_id == self.territory_id, SmsIn.received_at < moment)
        return int(self.session.execute(old).rowcount)  # type: ignore[attr-defined]
