"""What is said of a ride to whom it is for: how each way stands, in a sentence; and what can still be done about it.

In: requests of one territory. Out: `Ride`s, in a language. Called by the pages of people who are driven and of who refers them.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from api.pages.words import WORDS
from dispatch.model.asking import REFUSALS
from dispatch.model.lifecycle import OVER_LEG, UNDER_WAY, WANTED_REQUEST
from dispatch.model.notices import Language
from dispatch.notices.words import clock, day, first_name, reason, wall, window
from dispatch.service.people import policy_of
from dispatch.service.trips import LegView, TripView, moment_of, show_trips
from dispatch.storage.store import Store
from dispatch.storage.tables import TripRequest
from dispatch.storage.vault import Identity

Tone = Literal["found", "looking", "sorry", "over"]
_SAID_AS = {"proposed": "pending", "offered": "pending", "late_cancelled": "cancelled"}  # what only the coordination tells apart
_TONES: dict[str, Tone] = {
    **dict.fromkeys(("confirmed", "en_route", "at_pickup", "on_board"), "found"),
    **dict.fromkeys(("submitted", "pending", "standby", "on_call"), "looking"),
    **dict.fromkeys(("no_show", "missed", "unmet", "refused"), "sorry"),
    **dict.fromkeys(("completed", "cancelled"), "over"),
}
_WITH_TIME = ("submitted", "pending", "standby")


@dataclass(frozen=True, slots=True)
class Way:
    """One way."""

    direction: str
    state: str  # of `_TONES`
    tone: Tone
    sentence: str
    short: str
    brief: str  # for who refers somebody: « conducteur trouvé, Jean, entre 10 h et 10 h 15 »
    car: str  # as one looks for it in the street; empty where nobody comes
    more: str  # what was asked for, or why nobody comes


@dataclass(frozen=True, slots=True)
class Ride:
    """What somebody asked for, and what became of it."""

    id: UUID
    beneficiary_id: UUID
    request: TripRequest
    day: str
    ways: tuple[Way, ...]
    moment: dt.datetime
    last: dt.datetime  # afterwards it is past
    can_cancel: tuple[str, ...]  # ways that can still be given up
    driver_near: bool
    can_call_back: bool

    @property
    def tone(self) -> Tone:
        """Of its first way that is not over."""
        return next((way.tone for way in self.ways if way.tone != "over"), "over")


def tell_rides(store: Store, requests: Sequence[TripRequest], language: Language, now: dt.datetime) -> list[Ride]:
    """As their people are told, in the order given."""
    views = show_trips(store, requests)
    drivers = store.identities({way.assignment.volunteer_id for view in views for way in view.legs if way.assignment})
    territory = store.territory()
    policy = policy_of(territory)
    room = dt.timedelta(minutes=policy.told_rounding_minutes + policy.promise_tolerance_minutes)  # as `service.publishing` tells it
    teller = _Teller(store, language, territory.timezone, room, drivers)
    return [teller.ride(view, now) for view in views]


def isolated(text: str) -> str:
    """A name written from right to left keeps to itself in a sentence that is not."""
    return f"\u2068{text}\u2069" if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text) else text


def together(text: str) -> str:
    """No line ends within a time: « 9 h 40 » is one word."""
    return re.sub(r"(?<=\d) (?=h\b|[ap]m\b)|(?<=\bh) (?=\d\d\b)", "\u00a0", text)


@dataclass(frozen=True, slots=True)
class _Teller:
    store: Store
    language: Language
    zone: str
    room: dt.timedelta
    drivers: dict[UUID, Identity]

    def ride(self, view: TripView, now: dt.datetime) -> Ride:
        request, legs = view.request, [way.leg for way in view.legs]
        there, back = legs[0], next((leg for leg in legs if leg.direction == "return"), None)
        moment = moment_of(request)
        wanted = request.state in WANTED_REQUEST
        arrived = there.state in ("completed", "on_board") or (there.state not in OVER_LEG and now >= moment)
        return Ride(
            id=request.id,
            beneficiary_id=request.beneficiary_id,
            request=request,
            day=day(wall(moment, self.zone), self.language),
            ways=tuple(self._way(request, way) for way in view.legs),
            moment=moment,
            last=max([moment, request.return_after or moment, *(way.assignment.dropoff_at for way in view.legs if way.assignment)]),
            can_cancel=tuple(leg.direction for leg in legs if wanted and leg.state not in (*OVER_LEG, "on_board")),
            driver_near=any(leg.state in UNDER_WAY for leg in legs),
            can_call_back=wanted and back is not None and back.state == "on_call" and arrived and now >= moment,
        )

    def _way(self, request: TripRequest, way: LegView) -> Way:
        words = WORDS[self.language]
        state = request.state if request.state in ("submitted", "refused") else _SAID_AS.get(way.leg.state, way.leg.state)
        who = self.drivers.get(way.assignment.volunteer_id) if way.assignment else None
        named = {"driver": isolated((first_name(who.name) if who else None) or words["some_driver"]), "day": "", "window": ""}
        if way.assignment:
            told = way.assignment.told_pickup_at
            named["day"] = day(wall(told, self.zone), self.language)
            named["window"] = window(told, told + self.room, self.language, self.zone)
        coming = _TONES[state] == "found"
        return Way(
            direction=way.leg.direction,
            state=state,
            tone=_TONES[state],
            sentence=together(words[f"way_{state}"].format(**named)),
            short=words[f"short_{state}"],
            brief=", ".join(filter(None, [words[f"short_{state}"], *([named["driver"], named["window"]] if coming else [])])),
            car=isolated(who.car or "") if who and coming else "",
            more=together(self._more(request, way, state)),
        )

    def _more(self, request: TripRequest, way: LegView, state: str) -> str:
        words = WORDS[self.language]
        if state in _WITH_TIME:
            key = "asked_back" if way.leg.direction == "return" else "asked_arrive" if request.arrive_by else "asked_depart"
            at = request.return_after if key == "asked_back" else moment_of(request)
            return words[key].format(time=clock(at, self.language, self.zone)) if at else ""
        if state == "unmet":
            events = self.store.events(way.leg.id)
            return reason((events[-1].reason or "").upper(), "ride_unmet", self.language) if events else ""
        if state == "refused":
            events = self.store.events(request.id)
            found = REFUSALS.get(events[-1].reason or "") if events else None  # type: ignore[call-overload] # any text may be a reason
            return found[self.language == "en"] if found else ""
        return ""
