"""A run as whoever drives it needs it: step by step, with times, people, what they need, and phone numbers while they are needed.

In: runs. Out: views, without people whom the volunteer has not even been asked about. Called by the API. Phone numbers, and how one gets
in, are shown from a day before the run until two hours after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dispatch.service.lateness import Expected, Ride, expect
from dispatch.storage.driving import RunPosition, RunStop
from dispatch.storage.store import Store
from dispatch.storage.tables import Run
from dispatch.storage.vault import NOWHERE, Identity, Places

PHONES_FROM = timedelta(hours=24)
PHONES_UNTIL = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Rider(Ride):
    """Somebody of a run."""

    identity: Identity
    places: Places = NOWHERE

    def called(self, kind: str) -> tuple[str | None, str | None]:
        """What the place of a stop is called, and how one gets in; nothing for home."""
        there = self.leg.direction == "outbound"
        at_origin = (kind == "pickup") == there
        if kind not in ("pickup", "dropoff"):
            return None, None
        told = self.places
        return (told.origin_label, told.origin_note) if at_origin else (told.destination_label, told.destination_note)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run, its riders by leg in the order of pickups, its stops, and the version the volunteer was told."""

    run: Run
    riders: dict[UUID, Rider]
    stops: tuple[RunStop, ...]
    version: int
    phones: bool  # whether numbers are shown now
    expected: dict[UUID, Expected]  # by leg, once the run has begun
    position: RunPosition | None

    @property
    def metres(self) -> int:
        """From home to home."""
        return sum(stop.metres for stop in self.stops)


def show_runs(store: Store, runs: Sequence[Run], now: datetime) -> list[RunView]:
    """Runs with everything about them; a dozen queries, whatever the number of runs."""
    ids = [run.id for run in runs]
    rides = {run_id: [ride for ride in found if ride[1].state != "proposed"] for run_id, found in store.rides_of(ids).items()}
    stops = store.stops_of(ids)
    legs = [leg for found in rides.values() for _, leg in found]
    requests = store.requests({leg.request_id for leg in legs})
    people = store.beneficiaries({request.beneficiary_id for request in requests.values()})
    who, taps = store.identities(people), store.taps_of([leg.id for leg in legs])
    positions, places = store.positions_of(ids), store.places_of(requests.values())
    told = {day: store.publications(day) for day in {run.service_date for run in runs}}
    views = []
    for run in runs:
        riders = {}
        for assignment, leg in rides.get(run.id, []):
            request = requests[leg.request_id]
            person = people[request.beneficiary_id]
            riders[leg.id] = Rider(leg, assignment, request, person, tuple(taps.get(leg.id, ())), who[person.id], places[request.id])
        published = told[run.service_date].get(run.volunteer_id)
        views.append(
            RunView(
                run=run,
                riders=riders,
                stops=tuple(_shown(stops.get(run.id, ()), riders)),
                version=published.version if published else 0,
                phones=run.starts_at - PHONES_FROM <= now <= run.ends_at + PHONES_UNTIL,
                expected=expect(stops.get(run.id, ()), riders, positions.get(run.id)) if run.state == "started" else {},
                position=positions.get(run.id),
            )
        )
    return views


def _shown(stops: Iterable[RunStop], riders: dict[UUID, Rider]) -> Iterable[RunStop]:
    """Without those of people who do not ride any more."""
    return (stop for stop in stops if stop.leg_id is None or stop.leg_id in riders)
