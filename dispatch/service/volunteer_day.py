"""What one volunteer is shown of the days ahead: open questions, rides agreed on, and the run sheets of today and tomorrow.

In: a volunteer. Out: a `MyDay`. Called by the volunteers' pages and by who prints run sheets. Who is driven and where is in it from a day
before a run until two hours after it, and not at any other time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from dispatch.model.driving import FORWARD
from dispatch.model.lifecycle import OVER_LEG
from dispatch.service.offers import OfferView, show_offers
from dispatch.service.run_sheet import PHONES_UNTIL, Rider, RunView, show_runs
from dispatch.service.status import EARLY
from dispatch.storage.driving import RunStop
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, Run
from dispatch.world import World

AHEAD = timedelta(days=8)
_LONGEST_RUN = timedelta(days=1)
_AGREED = frozenset({*FORWARD, *OVER_LEG})
_MOST_OFFERS = 50


@dataclass(frozen=True, slots=True)
class Halt:
    """A place of a run where somebody gets in or out."""

    run: Run
    stop: RunStop
    rider: Rider
    stays_until: datetime | None = None  # the volunteer waits there, for the way back at this time

    @property
    def at(self) -> datetime:
        """When people expect the car; at the end, when it is there by the plan."""
        return self.rider.assignment.told_pickup_at if self.stop.kind == "pickup" else self.stop.arrive_at

    @property
    def state(self) -> str:
        """Of the way."""
        return self.rider.leg.state

    @property
    def done(self) -> bool:
        """Whether there is nothing more to do here."""
        return self.state in OVER_LEG or (self.stop.kind == "pickup" and self.state == "on_board")

    @property
    def opens_at(self) -> datetime:
        """From here on something can be noted."""
        return self.rider.assignment.told_pickup_at - EARLY

    @property
    def arrived_at(self) -> datetime | None:
        """Since when the volunteer waits there."""
        return min((tap.at for tap in self.rider.taps if tap.state == "at_pickup"), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A run that may be shown with its people."""

    run: Run
    halts: tuple[Halt, ...]
    leaves_at: datetime
    back_at: datetime
    metres: int

    @property
    def until(self) -> datetime:
        """Afterwards nobody of it is shown any more."""
        return self.run.ends_at + PHONES_UNTIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An open offer, from home to home as far as a plan knows."""

    view: OfferView
    leaves_at: datetime | None
    back_at: datetime | None
    metres: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MyDay:
    """All of it."""

    questions: tuple[Question, ...]
    sheets: tuple[Sheet, ...]
    later: tuple[tuple[Run, int], ...]  # runs whose people are not shown yet, and how many ride

    @property
    def next(self) -> Halt | None:
        """What is to be done next."""
        halts = (halt for sheet in self.sheets for halt in sheet.halts)
        return next((halt for halt in halts if not halt.done), None)

    @property
    def people(self) -> int:
        """How many people's names it holds."""
        return len(self.questions) + len({halt.rider.leg.id for sheet in self.sheets for halt in sheet.halts})


def load_my_day(store: Store, volunteer_id: UUID, world: World) -> MyDay:
    """Of a volunteer, now."""
    now = world.now()
    offers = store.page(Offer, None, _MOST_OFFERS, volunteer_id=volunteer_id, state="sent")
    agreed = store.agreed_runs(volunteer_id, now - _LONGEST_RUN - PHONES_UNTIL, now + AHEAD)
    sheets = make_sheets(show_runs(store, [run for run, _ in agreed], now))
    later = tuple((run, people) for run, people in agreed if run.starts_at > now and run.id not in {sheet.run.id for sheet in sheets})
    return MyDay(questions=_questions(store, [offer for offer in offers if offer.expires_at > now]), sheets=sheets, later=later)


def load_sheets(store: Store, day: date, world: World) -> tuple[Sheet, ...]:
    """Run sheets of everybody on a day, for who coordinates: whatever the hour."""
    return make_sheets(show_runs(store, store.runs_of_day(day), world.now()), always=True)


def make_sheets(views: Sequence[RunView], *, always: bool = False) -> tuple[Sheet, ...]:
    """Runs whose people may be shown now, with the people who are agreed on."""
    sheets = []
    for view in views:
        riders = {leg_id: rider for leg_id, rider in view.riders.items() if rider.leg.state in _AGREED}
        stays = _stays(view.stops, riders)
        halts = tuple(
            Halt(view.run, stop, riders[stop.leg_id], stays.get(stop.leg_id) if stop.kind == "dropoff" else None)
            for stop in view.stops
            if stop.leg_id in riders and stop.kind in ("pickup", "dropoff")
        )
        if halts and (view.phones or always):
            sheets.append(Sheet(run=view.run, halts=halts, leaves_at=view.run.starts_at, back_at=view.run.ends_at, metres=view.metres))
    return tuple(sorted(sheets, key=lambda sheet: (sheet.leaves_at, sheet.run.id)))


def _stays(stops: Sequence[RunStop], riders: Mapping[UUID, Rider]) -> dict[UUID, datetime]:
    """Until when volunteers wait where they have brought somebody, by the way there."""
    found: dict[UUID, datetime] = {}
    for before, after in pairwise(stops):
        there, back = (riders.get(stop.leg_id) if stop.leg_id else None for stop in (before, after))
        if there and back and there.leg.id != back.leg.id and there.request.id == back.request.id and there.request.wait_at_destination:
            found[there.leg.id] = back.assignment.told_pickup_at
    return found


def _questions(store: Store, offers: Sequence[Offer]) -> tuple[Question, ...]:
    views = show_offers(store, offers)
    runs = {view.offer.id: {told.run_id for _, told in view.rides if told.active} for view in views}
    stops = store.stops_of({run for found in runs.values() for run in found})
    questions = []
    for view in views:
        about = [stop for run in runs[view.offer.id] for stop in stops.get(run, ())]
        questions.append(
            Question(
                view=view,
                leaves_at=min((stop.depart_at for stop in about), default=None),
                back_at=max((stop.arrive_at for stop in about), default=None),
                metres=sum(stop.metres for stop in about),
            )
        )
    return tuple(sorted(questions, key=lambda question: question.view.offer.expires_at))
