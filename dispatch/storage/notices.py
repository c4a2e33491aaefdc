"""Queries of the outbox: what is to be told, in which order and in which words, and who is sending it; and of calendars.

In: rows of `notice_tables`. Called by `dispatch.notices`, which never commits in the middle of a use case.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from dispatch.errors import NotFound
from dispatch.storage.accounts import Account
from dispatch.storage.clocks import present, unix_now
from dispatch.storage.notice_tables import CalendarLink, Notice, NoticeText
from dispatch.storage.rows import Rows
from dispatch.storage.tables import Assignment, Leg, Run, TripRequest
from dispatch.storage.vault import Vault, vault_of
from dispatch.world import World

WAITING = ("queued", "sending")
OPEN = (*WAITING, "to_call")


class NoticeRows(Rows):
    """Notices of a territory."""

    def notice_keyed(self, key: str) -> Notice | None:
        """What was queued under a key."""
        return self.session.scalars(sa.select(Notice).where(Notice.territory_id == self.territory_id, Notice.key == key)).one_or_none()

    def question(self, bundle_id: UUID) -> Notice | None:
        """What a volunteer was asked last under the first of some offers."""
        query = sa.select(Notice).where(Notice.territory_id == self.territory_id, Notice.about == bundle_id, Notice.kind == "offer_sent")
        return self.session.scalars(query.order_by(Notice.number.desc()).limit(1)).one_or_none()

    def next_number(self, person_id: UUID | None) -> int:
        """Behind everything that was queued for this person."""
        whose = Notice.person_id.is_(None) if person_id is None else Notice.person_id == person_id  # as an index understands it
        of = (Notice.territory_id == self.territory_id, whose)
        return self.session.scalars(sa.select(sa.func.coalesce(sa.func.max(Notice.number), 0)).where(*of)).one() + 1

    def seal_link(self, notice_id: UUID, link: str) -> bytes:
        """For this notice only."""
        return self.vault.seal_text(notice_id, link)

    def open_link(self, notice: Notice) -> str | None:
        """As it was given, as long as it is kept."""
        return None if notice.link is None else self.vault.open_text(notice.id, notice.link)

    @property
    def vault(self) -> Vault:
        """NotReady where the master key is not there."""
        return vault_of(self.session)

    def coordinators(self) -> Sequence[UUID]:
        """Accounts of those who follow the days; of managers where nobody else does."""
        query = sa.select(Account.id, Account.role).where(Account.territory_id == self.territory_id, Account.ended_at.is_(None))
        found = self.session.execute(query.where(Account.role.in_(["coordinator", "manager"]))).all()
        return [row.id for row in found if row.role == "coordinator"] or [row.id for row in found]

    def notice_text(self, kind: str, language: str, form: str) -> NoticeText | None:
        """The territory's own, if it has one."""
        which = (NoticeText.kind == kind, NoticeText.language == language, NoticeText.form == form)
        return self.session.scalars(sa.select(NoticeText).where(NoticeText.territory_id == self.territory_id, *which)).one_or_none()

    def notice_texts(self) -> dict[tuple[str, str, str], NoticeText]:
        """All of the territory's own, by kind, language and form."""
        query = sa.select(NoticeText).where(NoticeText.territory_id == self.territory_id)
        return {(row.kind, row.language, row.form): row for row in self.session.scalars(query)}

    def forget_text(self, kind: str, language: str, form: str) -> None:
        """The territory says it as the service does."""
        which = (NoticeText.kind == kind, NoticeText.language == language, NoticeText.form == form)
        self.session.execute(sa.delete(NoticeText).where(NoticeText.territory_id == self.territory_id, *which))

    def page_of_notices(self, after: UUID | None, limit: int, **equal: object) -> Sequence[Notice]:
        """Newest first, after a given one."""
        query = sa.select(Notice).where(Notice.territory_id == self.territory_id).filter_by(**equal)
        return self._newest(query, Notice, Notice.created_at, after, limit)

    def end_calendar_link(self, volunteer_id: UUID) -> None:
        """What there was opens nothing any more."""
        of = (CalendarLink.territory_id == self.territory_id, CalendarLink.volunteer_id == volunteer_id)
        self.session.execute(sa.delete(CalendarLink).where(*of))

    def agreed_runs(self, volunteer_id: UUID, start: datetime, end: datetime) -> Sequence[tuple[Run, int]]:
        """Runs that begin in [start, end) in which somebody agreed to drive, in order, with how many people ride in them."""
        about = (
            sa.select(Assignment.run_id, TripRequest.id.label("request_id"), TripRequest.seats)
            .join(Leg, Leg.id == Assignment.leg_id)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(
                Assignment.territory_id == self.territory_id, Assignment.volunteer_id == volunteer_id, Assignment.active, Assignment.locked
            )
            .distinct()
            .subquery()
        )
        people = sa.select(about.c.run_id, sa.func.sum(about.c.seats).label("seats")).group_by(about.c.run_id).subquery()
        query = (
            sa.select(Run, people.c.seats)
            .join(people, people.c.run_id == Run.id)
            .where(Run.territory_id == self.territory_id, Run.starts_at >= start, Run.starts_at < end, Run.state != "cancelled")
            .order_by(Run.starts_at, Run.id)
        )
        return [(run, int(people)) for run, people in self.session.execute(query)]

    def drop_notices(self, about: UUID, kinds: Collection[str] | None = None) -> int:
        """Nobody is told any more what was waiting to be told about something; how many."""
        waiting = [Notice.territory_id == self.territory_id, Notice.about == about, Notice.state.in_(("queued", "to_call"))]
        if kinds is not None:
            waiting.append(Notice.kind.in_(list(kinds)))
        done = self.session.execute(sa.update(Notice).where(*waiting).values(state="dropped"))
        return int(done.rowcount)  # type: ignore[attr-defined]

    def forget_notices_to(self, person_id: UUID) -> None:
        """What an erased person was to be told is not, what was told holds no link any more, and no calendar shows their runs."""
        of = (Notice.territory_id == self.territory_id, Notice.person_id == person_id)
        self.session.execute(sa.update(Notice).where(*of, Notice.state.in_(OPEN)).values(state="dropped"))
        self.session.execute(sa.update(Notice).where(*of).values(link=None, provider_id=None))
        calendar = (CalendarLink.territory_id == self.territory_id, CalendarLink.volunteer_id == person_id)
        self.session.execute(sa.delete(CalendarLink).where(*calendar))

    def forget_notices_before(self, moment: datetime) -> int:
        """Remove what was settled long ago; how many."""
        old = (Notice.territory_id == self.territory_id, Notice.created_at < moment, Notice.state.not_in(OPEN))
        done = self.session.execute(sa.delete(Notice).where(*old))
        return int(done.rowcount)  # type: ignore[attr-defined]

    def calls_to_make(self, until: datetime, after: UUID | None, limit: int) -> Sequence[Notice]:
        """What somebody has to be told by telephone by a moment, longest waiting first, after a given one; NotFound when that is none."""
        query = sa.select(Notice).where(Notice.territory_id == self.territory_id, Notice.state == "to_call", Notice.next_try_at <= until)
        if after is not None:
            last = sa.select(Notice.next_try_at, Notice.id).where(Notice.id == after, Notice.territory_id == self.territory_id)
            if self.session.execute(last).one_or_none() is None:
                raise NotFound
            query = query.where(sa.tuple_(Notice.next_try_at, Notice.id) > last.scalar_subquery())
        return self.session.scalars(query.order_by(Notice.next_try_at, Notice.id).limit(limit)).all()

    def unsent_notices(self, before: datetime) -> Sequence[Notice]:
        """What should have been sent before a moment, and waits."""
        query = sa.select(Notice).where(Notice.territory_id == self.territory_id, Notice.state.in_(WAITING), Notice.not_before < before)
        return self.session.scalars(query.order_by(Notice.not_before, Notice.id)).all()

    def failed_notices(self, since: datetime, limit: int) -> Sequence[Notice]:
        """What somebody was to be told since a moment, and could not be in any way; newest first."""
        query = sa.select(Notice).where(
            Notice.territory_id == self.territory_id, Notice.state == "failed", Notice.person_id.is_not(None), Notice.created_at >= since
        )
        return self.session.scalars(query.order_by(Notice.created_at.desc(), Notice.id).limit(limit)).all()

    def due_notices(self, world: World, limit: int) -> Sequence[UUID]:
        """What may be sent now, oldest first. Nothing of a person whose earlier notice is still on its way: order is kept."""
        earlier = aliased(Notice)
        first = ~sa.exists().where(
            earlier.territory_id == Notice.territory_id,
            earlier.person_id == Notice.person_id,  # coordinators' are told as they can be
            earlier.number < Notice.number,
            earlier.state.in_(WAITING),
            earlier.not_before <= present(world),
        )
        query = sa.select(Notice.id).where(Notice.territory_id == self.territory_id, _may_send(world), first)
        return self.session.scalars(query.order_by(Notice.next_try_at, Notice.number, Notice.id).limit(limit)).all()

    def claim_notice(self, notice_id: UUID, lease_s: float, world: World) -> Notice | None:
        """Take one to send, with a new token; None when another sender was quicker."""
        mine = sa.select(Notice.id).where(Notice.id == notice_id, Notice.territory_id == self.territory_id, _may_send(world))
        claim = (
            sa.update(Notice)
            .where(Notice.id.in_(mine.with_for_update(skip_locked=True)))
            .values(state="sending", token=Notice.token + 1, attempts=Notice.attempts + 1, lease_until=unix_now() + lease_s)
            .returning(Notice)
        )
        return self.session.scalars(claim, execution_options={"populate_existing": True}).one_or_none()

    def settle_notice(self, notice_id: UUID, token: int, **values: object) -> bool:
        """Say what became of one that was claimed; False when its lease was lost and another sender has it."""
        held = (Notice.id == notice_id, Notice.territory_id == self.territory_id, Notice.state == "sending", Notice.token == token)
        done = self.session.execute(sa.update(Notice).where(*held).values(lease_until=None, **values))
        return int(done.rowcount) == 1  # type: ignore[attr-defined]

    def notice(self, notice_id: UUID) -> Notice | None:
        """By id."""
        return self.session.scalars(sa.select(Notice).where(Notice.territory_id == self.territory_id, Notice.id == notice_id)).one_or_none()


def calendar_owner(session: Session, token_sha256: str) -> tuple[UUID, UUID] | None:
    """The territory and the volunteer of a calendar's link. Looked at before it is known which territory it is of."""
    query = sa.select(CalendarLink.territory_id, CalendarLink.volunteer_id).where(CalendarLink.token_sha256 == token_sha256)
    found = session.execute(query).one_or_none()
    return (found.territory_id, found.volunteer_id) if found else None


def _may_send(world: World) -> sa.ColumnElement[bool]:
    due = sa.and_(Notice.state == "queued", Notice.next_try_at <= present(world))
    lost = sa.and_(Notice.state == "sending", Notice.lease_until < unix_now())
    return sa.or_(due, lost)
