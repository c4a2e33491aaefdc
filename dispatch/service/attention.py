"""What needs a human now: the coordinator's queue, each entry with until when and a sentence in French and English.

In: a territory, the present. Out: entries, the most pressing first. Read anew whenever somebody looks: nothing is kept or forgotten.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.model.lifecycle import OVER_LEG
from dispatch.model.rules import Rules
from dispatch.notices.compose import is_late
from dispatch.service.lateness import progress
from dispatch.service.people import rules_of
from dispatch.service.trips import moment_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, TripRequest
from dispatch.world import World

Kind = Literal[
    "to_decide", "to_send", "uncovered", "stranded", "not_called", "not_started", "not_finished", "late", "not_told", "sms_to_read",
    "eligibility_ends", "not_eligible",
]  # fmt: skip
AHEAD = timedelta(days=2)
CALLED_AFTER = timedelta(hours=3)  # whoever waits for a call so long after the ride there may have been forgotten
MOST = 200
_SAID: Mapping[Kind, tuple[str, str]] = {
    "to_decide": ("Demande à accepter ou à refuser.", "A request to accept or to refuse."),
    "to_send": ("{legs} à proposer aux bénévoles : relisez, puis envoyez.", "{legs} to ask volunteers about: look, then send."),
    "uncovered": ("Personne n'a été trouvé pour ce trajet.", "Nobody was found for this ride."),
    "stranded": (
        "Cette personne a été conduite et n'a personne pour son retour.",
        "This person was taken there and has nobody for the way back.",
    ),
    "not_called": ("Cette personne n'a pas encore appelé pour son retour.", "This person has not called for the way back yet."),
    "not_started": ("Ce trajet aurait dû commencer.", "This ride should have begun."),
    "not_finished": ("Ce trajet devrait être terminé.", "This ride should be over."),
    "late": ("La voiture aura {minutes} min de retard.", "The car will be {minutes} min late."),
    "not_told": ("Un message n'a pas pu être remis : appelez cette personne.", "A message could not be delivered: call this person."),
    "sms_to_read": ("Un SMS est à lire.", "An SMS is to be read."),
    "eligibility_ends": (
        "Droit aux trajets jusqu'au {day} ; ensuite : {what}. Renouvelez-le, ou prévenez la personne.",
        "Eligible until {day}; after that: {what}. Renew it, or tell the person.",
    ),
    "not_eligible": (
        "Sans droit aux trajets : {what}. Notez-le dans son dossier, ou annulez.",
        "Without eligibility: {what}. Write it into the file, or cancel.",
    ),
}
OF_FILES: frozenset[Kind] = frozenset({"eligibility_ends", "not_eligible"})  # settled in a person's file, not by a ride
_ORDER: tuple[Kind, ...] = (
    "stranded", "not_started", "late", "not_called", "sms_to_read", "not_told", "not_finished", "uncovered", "to_send", "to_decide",
    "not_eligible", "eligibility_ends",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing."""

    kind: Kind
    request_id: UUID | None
    leg_id: UUID | None
    until: datetime
    sentence: str
    sentence_en: str
    direction: str | None = None  # of the leg
    minutes: int | None = None  # of lateness
    person_id: UUID | None = None  # of what is about no request, if that is known
    sms_id: UUID | None = None
    notice_id: UUID | None = None


def needs_a_human(store: Store, world: World) -> list[Entry]:
    """Everything that waits for somebody to decide, call or find out; at most `MOST`."""
    territory, now = store.territory(), world.now()
    today = now.astimezone(ZoneInfo(territory.timezone)).date()
    rules, found = rules_of(territory), [_entry("to_decide", request, None, moment_of(request)) for request in store.undecided(MOST)]
    legs: dict[UUID, list[tuple[Leg, TripRequest]]] = {}
    for leg, request in store.legs_to_look_at(today - AHEAD, today + AHEAD, now):
        legs.setdefault(request.id, []).append((leg, request))
    told = store.active_assignments([leg.id for ways in legs.values() for leg, _ in ways if leg.state not in OVER_LEG])
    unsent: defaultdict[date, list[datetime]] = defaultdict(list)
    for ways in legs.values():
        pickups = {leg.id: told[leg.id].told_pickup_at for leg, _ in ways if leg.id in told}
        unsent[ways[0][1].service_date] += [pickups[leg.id] for leg, _ in ways if leg.state == "proposed" and leg.id in pickups]
        found += _about({leg.direction: leg for leg, _ in ways}, ways[0][1], pickups, now, rules)
    found += [*_to_send(unsent.values()), *_late(store, today, rules), *_not_told(store, now), *_sms(store)]
    found += _eligibility(store, today, now, rules)
    return sorted(found, key=lambda entry: (_ORDER.index(entry.kind), entry.until))[:MOST]


def _to_send(days: Iterable[Sequence[datetime]]) -> Iterator[Entry]:
    """What rounds have planned where volunteers are asked by hand: one entry for each day, until its first pickup."""
    fr, en = _SAID["to_send"]
    for pickups in filter(None, days):
        one = len(pickups) == 1
        french = fr.format(legs=f"{len(pickups)} trajet{'' if one else 's'}")
        english = en.format(legs=f"{len(pickups)} {'ride' if one else 'rides'}")
        yield replace(_of_none("to_send", min(pickups), None), sentence=french, sentence_en=english)


def _late(store: Store, today: date, rules: Rules) -> Iterator[Entry]:
    """Rides of cars that are on the way, and later than people are told of."""
    runs = [run for day in (today - timedelta(days=1), today) for run in store.runs_of_day(day)]
    fr, en = _SAID["late"]
    for expected in (found for rides in progress(store, runs).values() for found in rides.values()):
        minutes = expected.late_minutes
        if minutes >= rules.driving.tell_late_minutes:
            leg, french, english = expected.leg, fr.format(minutes=minutes), en.format(minutes=minutes)
            yield Entry(
                kind="late",
                request_id=leg.request_id,
                leg_id=leg.id,
                direction=leg.direction,
                until=expected.at,
                minutes=minutes,
                sentence=french,
                sentence_en=english,
            )


def _not_told(store: Store, now: datetime) -> Iterator[Entry]:
    """What could not be told in any way, as long as it is news."""
    for notice in store.failed_notices(now - AHEAD, MOST):
        if not is_late(notice, now):
            yield replace(_of_none("not_told", notice.not_before, notice.person_id), notice_id=notice.id)


def _sms(store: Store) -> Iterator[Entry]:
    for row in store.page_of_sms(waiting=True, after=None, limit=MOST):
        yield replace(_of_none("sms_to_read", row.received_at, row.person_id), sms_id=row.id)


def _eligibility(store: Store, today: date, now: datetime, rules: Rules) -> Iterator[Entry]:
    """People whose rides or series go beyond what is written of their eligibility: it ends soon, or there is none."""
    if rules.eligibility.rule == "none":
        return
    soon = today + timedelta(days=rules.eligibility.warn_days)
    rides = {beyond.person_id: beyond for beyond in store.rides_beyond(today, soon, MOST)}
    series = store.series_beyond(today, soon)
    for person_id in dict.fromkeys((*rides, *series)):
        beyond = rides.get(person_id)
        ends = beyond.valid_until if beyond is not None else series[person_id]
        kind: Kind = "eligibility_ends" if ends is not None and ends >= today else "not_eligible"
        told = {"day": "" if ends is None else f"{ends:%d/%m}"}
        what = _beyond(beyond.rides if beyond else 0, person_id in series)
        fr, en = (said.format(**told, what=words) for said, words in zip(_SAID[kind], what, strict=True))
        until = beyond.first_at if beyond else now
        yield replace(_of_none(kind, until, person_id), sentence=fr, sentence_en=en)


def _beyond(rides: int, series: bool) -> tuple[str, str]:
    """So many rides, and a series, in words."""
    some = "s" if rides > 1 else ""
    fr = [f"{rides} trajet{some} prévu{some}"] if rides else []
    en = [f"{rides} ride{some} planned"] if rides else []
    return " et ".join([*fr, *["une série"] * series]), " and ".join([*en, *["a series"] * series])


def _of_none(kind: Kind, until: datetime, person_id: UUID | None) -> Entry:
    fr, en = _SAID[kind]
    return Entry(kind=kind, request_id=None, leg_id=None, until=until, sentence=fr, sentence_en=en, person_id=person_id)


def _about(ways: dict[str, Leg], request: TripRequest, told: dict[UUID, datetime], now: datetime, rules: Rules) -> Iterator[Entry]:
    there, back = ways.get("outbound"), ways.get("return")
    taken = there is not None and there.state in ("on_board", "completed")
    for leg in ways.values():
        moment = _moment(leg, request)
        there_somehow = taken or (there is not None and there.state == "unmet")  # a way back that nobody gave up: `one_way_ok`
        if leg.state == "on_call" and there_somehow and moment_of(request) + CALLED_AFTER < now:
            yield _entry("not_called", request, leg, moment)
        elif leg.state in ("pending", "standby", "proposed", "offered") and leg is back and taken:
            if leg.state != "offered":
                yield _entry("stranded", request, leg, moment)
        elif leg.state == "standby":
            yield _entry("uncovered", request, leg, moment)
        elif leg.state == "confirmed" and leg.id in told and told[leg.id] + timedelta(minutes=rules.driving.late_minutes) < now:
            yield _entry("not_started", request, leg, told[leg.id])
        elif leg.state in ("en_route", "at_pickup", "on_board") and leg.id in told and told[leg.id] + CALLED_AFTER < now:
            yield _entry("not_finished", request, leg, told[leg.id])


def _moment(leg: Leg, request: TripRequest) -> datetime:
    return request.return_after if leg.direction == "return" and request.return_after else moment_of(request)


def _entry(kind: Kind, request: TripRequest, leg: Leg | None, until: datetime) -> Entry:
    fr, en = _SAID[kind]
    about = {"leg_id": leg.id if leg else None, "direction": leg.direction if leg else None}
    return Entry(kind=kind, request_id=request.id, until=until, sentence=fr, sentence_en=en, **about)  # type: ignore[arg-type]
