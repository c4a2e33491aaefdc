"""Queries about volunteers, beneficiaries, who they are, and what was between them."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from dispatch.errors import NotFound
from dispatch.model.contact import dialled
from dispatch.storage.rows import Rows
from dispatch.storage.tables import (
    Assignment,
    Availability,
    Beneficiary,
    Consent,
    Leg,
    Person,
    PersonKey,
    Refusal,
    Tie,
    TripRequest,
    Volunteer,
)
from dispatch.storage.vault import ERASED, NOWHERE, Identity, Places, Vault, vault_of
from dispatch.world import World


class PeopleRows(Rows):
    """Who lives and who drives in a territory."""

    # Who they are

    def add_person(self, row: Beneficiary | Volunteer, identity: Identity) -> None:
        """Keep a new file; name and phone go to the vault."""
        self.add_identity(row.id, identity)
        self.add(row)

    def add_identity(self, person_id: UUID, identity: Identity) -> None:
        """Seal who somebody is with a new key."""
        vault = vault_of(self.session)
        wrapped = vault.new_key(person_id)
        person = Person(id=person_id, sealed=vault.seal(person_id, wrapped, identity), phone_digest=_digest(vault, identity))
        self.add(PersonKey(person_id=person_id, wrapped=wrapped), person)

    def identify(self, person_id: UUID, identity: Identity) -> None:
        """Write name and phone anew."""
        person, key = self._sealed([person_id])[0]
        if key.wrapped is None:
            raise NotFound
        vault = vault_of(self.session)
        person.sealed = vault.seal(person_id, key.wrapped, identity)
        if (digest := _digest(vault, identity)) != person.phone_digest:
            person.phone_digest, person.sms_stopped_at = digest, None  # who wanted no SMS said so for the old number
        self.session.flush()

    def identities(self, person_ids: Iterable[UUID]) -> dict[UUID, Identity]:
        """Who these people are, by id: the only way to a name. Those who were erased have none."""
        found = dict.fromkeys(person_ids, ERASED)
        for person, key in self._sealed(found):
            if key.wrapped is not None and person.sealed is not None:
                found[person.id] = vault_of(self.session).open(person.id, key.wrapped, person.sealed)
        return found

    def identity(self, person_id: UUID) -> Identity:
        """Of one."""
        return self.identities([person_id])[person_id]

    def describe_places(self, request: TripRequest, places: Places) -> None:
        """Seal what the ends of a request are called with the key of whom it is for."""
        if places != NOWHERE:
            key = self._key_of(request.beneficiary_id)
            request.places = vault_of(self.session).seal_bytes(request.beneficiary_id, key, json.dumps(asdict(places)).encode())

    def places_of(self, requests: Iterable[TripRequest]) -> dict[UUID, Places]:
        """By request: what was sealed; nothing of people who were erased."""
        wanted = list(requests)
        described = [request for request in wanted if request.places is not None]
        sealed = self._sealed({request.beneficiary_id for request in described}) if described else ()
        keys = {key.person_id: key.wrapped for _, key in sealed}
        found = dict.fromkeys((request.id for request in wanted), NOWHERE)
        for request in described:
            if request.places is not None and (key := keys.get(request.beneficiary_id)) is not None:
                opened = vault_of(self.session).open_bytes(request.beneficiary_id, key, request.places)
                found[request.id] = Places(**json.loads(opened))
        return found

    def lose_key(self, person_id: UUID, now: datetime) -> None:
        """For good: nothing that was sealed with it can be opened, here or in any copy."""
        _, key = self._sealed([person_id])[0]
        if key.erased_at is not None:
            return
        key.wrapped, key.erased_at = None, now
        self.session.flush()

    def clear_sealed(self, person_id: UUID) -> None:
        """Remove what cannot be opened any more."""
        person, _ = self._sealed([person_id])[0]
        person.sealed = person.phone_digest = person.sms_stopped_at = None
        self.session.flush()

    def _key_of(self, person_id: UUID) -> bytes:
        _, key = self._sealed([person_id])[0]
        if key.wrapped is None:
            raise NotFound
        return key.wrapped

    def _sealed(self, person_ids: Iterable[UUID]) -> Sequence[tuple[Person, PersonKey]]:
        query = (
            sa.select(Person, PersonKey)
            .join(PersonKey, PersonKey.person_id == Person.id)
            .where(Person.territory_id == self.territory_id, Person.id.in_(list(person_ids)))
        )
        return [(person, key) for person, key in self.session.execute(query)]

    # What they agreed to

    def add_consent(self, beneficiary_id: UUID, wording: str, world: World) -> None:
        """As whoever acts here says, now."""
        row = Consent(id=world.new_id(), beneficiary_id=beneficiary_id, wording=wording, noted_at=world.now(), noted_by=self._actor_id)
        self.add(row)

    def consents_of(self, beneficiary_id: UUID) -> Sequence[Consent]:
        """The newest first."""
        query = sa.select(Consent).where(Consent.territory_id == self.territory_id, Consent.beneficiary_id == beneficiary_id)
        return self.session.scalars(query.order_by(Consent.noted_at.desc(), Consent.id)).all()

    # Their files

    def active_volunteers(self) -> Sequence[Volunteer]:
        """Those who may be asked."""
        query = sa.select(Volunteer).where(Volunteer.territory_id == self.territory_id, Volunteer.active).order_by(Volunteer.id)
        return self.session.scalars(query).all()

    def availabilities(self, start: datetime, end: datetime, of: Collection[UUID] | None = None) -> Sequence[Availability]:
        """Spans that begin in [start, end), in order: of everybody, or `of` some volunteers."""
        query = (
            sa.select(Availability)
            .where(Availability.territory_id == self.territory_id, Availability.starts_at >= start, Availability.starts_at < end)
            .order_by(Availability.volunteer_id, Availability.starts_at)
        )
        return self.session.scalars(query if of is None else query.where(Availability.volunteer_id.in_(of))).all()

    def overlapping(self, volunteer_id: UUID, start: datetime, end: datetime) -> bool:
        """Whether the volunteer already gave a span that overlaps."""
        query = sa.select(Availability.id).where(
            Availability.territory_id == self.territory_id,
            Availability.volunteer_id == volunteer_id,
            Availability.starts_at < end,
            Availability.ends_at > start,
        )
        return self.session.scalars(query.limit(1)).one_or_none() is not None

    def beneficiaries(self, ids: Iterable[UUID]) -> dict[UUID, Beneficiary]:
        """By id."""
        query = sa.select(Beneficiary).where(Beneficiary.territory_id == self.territory_id, Beneficiary.id.in_(list(ids)))
        return {row.id: row for row in self.session.scalars(query)}

    def hold_person(self, row: Beneficiary | Volunteer) -> None:
        """From here to the end of the transaction nobody else changes, erases or asks for this person; the row is fresh."""
        table = type(row)
        query = sa.select(table).where(table.id == row.id, table.territory_id == self.territory_id).with_for_update(key_share=True)
        self.session.scalars(query, execution_options={"populate_existing": True}).one()

    def person_as_is(self, beneficiary_id: UUID) -> Beneficiary | None:
        """A person who was not erased, and is neither erased nor changed before the transaction ends."""
        query = sa.select(Beneficiary).where(Beneficiary.id == beneficiary_id, Beneficiary.territory_id == self.territory_id)
        found = self.session.scalars(query.with_for_update(read=True), execution_options={"populate_existing": True}).one_or_none()
        return found if found is not None and found.erased_at is None else None

    def spans_between(self, volunteer_id: UUID, start: datetime, end: datetime) -> int:
        """How many spans of a volunteer begin in [start, end)."""
        query = sa.select(sa.func.count()).select_from(Availability)
        there = (Availability.volunteer_id == volunteer_id, Availability.starts_at >= start, Availability.starts_at < end)
        return self.session.scalars(query.where(Availability.territory_id == self.territory_id, *there)).one()

    def refusals(self) -> Sequence[Refusal]:
        """Pairs that do not ride together."""
        return self.session.scalars(sa.select(Refusal).where(Refusal.territory_id == self.territory_id)).all()

    def ties(self, *, volunteer_id: UUID | None = None, beneficiary_id: UUID | None = None) -> Sequence[Tie]:
        """Pairs that something speaks for: all, or those of somebody."""
        query = sa.select(Tie).where(Tie.territory_id == self.territory_id).order_by(Tie.volunteer_id, Tie.beneficiary_id)
        if volunteer_id is not None:
            query = query.where(Tie.volunteer_id == volunteer_id)
        if beneficiary_id is not None:
            query = query.where(Tie.beneficiary_id == beneficiary_id)
        return self.session.scalars(query).all()

    def past_rides(self, start: datetime, end: datetime) -> Sequence[tuple[UUID, UUID]]:
        """(volunteer, beneficiary) of every leg agreed on with a pickup in [start, end)."""
        query = (
            sa.select(Assignment.volunteer_id, TripRequest.beneficiary_id)
            .join(Leg, Leg.id == Assignment.leg_id)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(
                Assignment.territory_id == self.territory_id,
                Assignment.active,
                Leg.state.in_(["confirmed", "completed"]),
                Assignment.pickup_at >= start,
                Assignment.pickup_at < end,
            )
        )
        return [(volunteer, beneficiary) for volunteer, beneficiary in self.session.execute(query)]


def _digest(vault: Vault, identity: Identity) -> str | None:
    """Of the number as it is dialled, however it was typed."""
    number = dialled(identity.phone)
    return vault.digest(number) if number else None
