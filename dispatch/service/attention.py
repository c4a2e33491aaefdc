"""What needs a human now: the coordinator's queue, each entry with until when and a sentence in French and English.

In: a territory, the present. Out: entries, the most pressing first. Read anew whenever somebody looks: nothing is kept or forgotten.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.model.lifecycle import OVER_LEG
from dispatch.model.rules import Rules
from dispatch.service.people import rules_of
from dispatch.service.trips import moment_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, TripRequest
from dispatch.world import World

Kind = Literal["to_decide", "uncovered", "stranded", "not_called", "not_started", "not_finished"]
AHEAD = timedelta(days=2)
CALLED_AFTER = timedelta(hours=3)  # whoever waits for a call so long after the ride there may have been forgotten
MOST = 200
_SAID: Mapping[Kind, tuple[str, str]] = {
    "to_decide": ("Demande à accepter ou à refuser.", "A request to accept or to refuse."),
    "uncovered": ("Personne n'a été trouvé pour ce trajet.", "Nobody was found for this ride."),
    "stranded": (
        "Cette personne a été conduite et n'a personne pour son retour.",
        "This person was taken there and has nobody for the way back.",
    ),
    "not_called": ("Cette personne n'a pas encore appelé pour son retour.", "This person has not called for the way back yet."),
    "not_started": ("Ce trajet aurait dû commencer.", "This ride should have begun."),
    "not_finished": ("Ce trajet devrait être terminé.", "This ride should be over."),
}
_ORDER: tuple[Kind, ...] = ("stranded", "not_started", "not_called", "not_finished", "uncovered", "to_decide")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing."""

    kind: Kind
    request_id: UUID
    leg_id: UUID | None
    until: datetime
    sentence: str
    sentence_en: str


def needs_a_human(store: Store, world: World) -> list[Entry]:
    """Everything that waits for somebody to decide, call or find out; at most `MOST`."""
    territory, now = store.territory(), world.now()
    today = now.astimezone(ZoneInfo(territory.timezone)).date()
    rules, found = rules_of(territory), [_entry("to_decide", request, None, moment_of(request)) for request in store.undecided(MOST)]
    legs: dict[UUID, list[tuple[Leg, TripRequest]]] = {}
    for leg, request in store.legs_of_days(today - AHEAD, today + AHEAD):
        legs.setdefault(request.id, []).append((leg, request))
    told = store.active_assignments([leg.id for ways in legs.values() for leg, _ in ways if leg.state not in OVER_LEG])
    for ways in legs.values():
        pickups = {leg.id: told[leg.id].told_pickup_at for leg, _ in ways if leg.id in told}
        found += _about({leg.direction: leg for leg, _ in ways}, ways[0][1], pickups, now, rules)
    return sorted(found, key=lambda entry: (_ORDER.index(entry.kind), entry.until))[:MOST]


def _about(ways: dict[str, Leg], request: TripRequest, told: dict[UUID, datetime], now: datetime, rules: Rules) -> Iterator[Entry]:
    there, back = ways.get("outbound"), ways.get("return")
    taken = there is not None and there.state in ("on_board", "completed")
    for leg in ways.values():
        moment = _moment(leg, request)
        if leg.state == "on_call" and taken and moment_of(request) + CALLED_AFTER < now:
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
    return Entry(kind=kind, request_id=request.id, leg_id=leg.id if leg else None, until=until, sentence=fr, sentence_en=en)
