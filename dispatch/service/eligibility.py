"""Whether somebody may ask for rides, as it is written in the file: looked at, written anew, withdrawn.

In: a person, and what is to be written. Out: how things stand, with what is planned beyond it: rides that are accepted stay, and are on the
coordinator's list (`service.attention`). Called by the API and pages; the caller commits. Wishes are held against it in `service.trips`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from dispatch.errors import BadInput, Fault
from dispatch.model.eligibility import NewEligibility
from dispatch.service.availability import local_today
from dispatch.service.people import rules_of
from dispatch.service.series_dates import take_up_eligible
from dispatch.storage.eligibility_tables import Eligibility
from dispatch.storage.series_tables import RideSeries
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary
from dispatch.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How somebody stands."""

    asked: bool  # the territory asks for eligibility
    row: Eligibility | None  # what is written
    rides_beyond: int  # accepted rides to come that it does not cover; none where nobody asks
    taken_up: int = 0  # dates of series that have a ride now, for want of eligibility until now


def standing_of(store: Store, person: Beneficiary, world: World, taken_up: int = 0) -> Standing:
    """As it is now."""
    asked = rules_of(store.territory()).eligibility.rule == "asked"
    beyond = store.rides_beyond(local_today(store, world.now()), date.max, 1, person.id) if asked else ()
    return Standing(asked=asked, row=store.eligibility(person.id), rides_beyond=sum(one.rides for one in beyond), taken_up=taken_up)


def write_eligibility(store: Store, person: Beneficiary, new: NewEligibility, by: UUID | None, world: World) -> Standing:
    """Write it anew, whole. Dates of series that had no ride for want of it are asked for again. BadInput for a paper seen in the future,
    Stale when the file was changed meanwhile."""
    if new.seen_on is not None and new.seen_on > local_today(store, world.now()):
        raise BadInput([Fault("seen_on", "future", "is in the future")])
    held = _hold_series(store, person)
    store.change(person, {})  # one version of the file: of two who write at once, the second is told
    row = store.eligibility(person.id, hold=True)
    values = {**new.model_dump(), "purposes": list(new.purposes), "written_by": by, "written_at": world.now()}
    if row is None:
        store.add(Eligibility(id=person.id, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
        store.flush()
    store.note_access("changed", "beneficiary", person.id, 1, world)
    return standing_of(store, person, world, len(take_up_eligible(store, held, world)))


def withdraw_eligibility(store: Store, person: Beneficiary, world: World) -> None:
    """Nothing is written any more; said twice is said once. Stale when the file was changed meanwhile."""
    store.change(person, {})
    row = store.eligibility(person.id, hold=True)
    if row is not None:
        store.forget_eligibility(row)
    store.note_access("changed", "beneficiary", person.id, 1, world)


def _hold_series(store: Store, person: Beneficiary) -> Sequence[RideSeries]:
    """In the order of everybody who extends a series: series first, then the person. By id, so that two who hold several wait in a line."""
    return [store.series_held(row.id) for row in sorted(store.series_of(person.id), key=lambda row: row.id)]
