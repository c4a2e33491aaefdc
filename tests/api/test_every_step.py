"""Every state of everything with every step that a caller can take, over HTTP: what may follow follows, all else is 409 and no trace.

`LEADS` is the table of what users can do: a step, and for each state in which it is taken the state after it. A state of the lifecycle
that cannot be made, or a move that is neither a step nor somebody else's, fails.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from dispatch.model.lifecycle import TABLE, Kind, states
from dispatch.storage.database import Database
from dispatch.storage.log import Event
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.api.lives import WAYS, Life, Lives
from tests.api.operations import digests

Call = Callable[[Lives, Life], httpx2.Response]
FORWARD = ("confirmed", "en_route", "at_pickup", "on_board", "completed")


def tapped(state: str) -> tuple[Call, Mapping[str, str]]:
    """A tap on the way: forward it goes, and what comes late is noted and changes nothing."""
    return lambda lives, life: lives.tap(life, state), {before: max(before, state, key=FORWARD.index) for before in FORWARD}


def post(path: str, body: Any = None) -> Call:
    return lambda lives, life: lives.call("POST", path.format(**vars(life)), body)


def _no_show(lives: Lives, life: Life) -> httpx2.Response:
    """After waiting long enough."""
    lives.wait(life)
    lives.world.advance(dt.timedelta(minutes=30))
    return lives.tap(life, "no_show")


def _entrust_to_another(lives: Lives, life: Life) -> httpx2.Response:
    return lives.call("POST", f"/legs/{life.leg}/offer", {"volunteer_id": life.another})


def _away(lives: Lives, life: Life) -> httpx2.Response:
    return lives.call("POST", f"/volunteers/{life.volunteer}/absences", {"first_day": f"{life.day}"})


def same(*names: str) -> Mapping[str, str]:
    """Steps that are taken, and lead nowhere."""
    return {name: name for name in names}


#: kind -> step -> the call, and the state after it for each state in which it is taken; in every other state it is refused.
LEADS: Mapping[Kind, Mapping[str, tuple[Call, Mapping[str, str]]]] = {
    "request": {
        "accept": (post("/trip-requests/{request}/accept"), {"submitted": "accepted"}),
        "refuse": (post("/trip-requests/{request}/refuse", {"code": "other"}), {"submitted": "refused"}),
        "cancel": (Lives.cancel, {"submitted": "cancelled", "accepted": "cancelled"}),
        "the last way is over": (lambda lives, life: lives.tap(life, "completed"), {"accepted": "closed", "closed": "closed"}),
    },
    "leg": {
        "entrust": (_entrust_to_another, dict.fromkeys(("pending", "standby", "proposed", "offered"), "offered")),
        "return": (Lives.bring_back, {"on_call": "pending"}),
        "cancel": (
            Lives.cancel,
            dict.fromkeys(("pending", "on_call", "standby", "proposed", "offered", "confirmed"), "cancelled")
            | dict.fromkeys(("en_route", "at_pickup"), "late_cancelled"),
        ),
        **{state: tapped(state) for state in FORWARD[1:]},
        "no_show": (_no_show, {"at_pickup": "no_show"}),
        "missed": (
            lambda lives, life: lives.tap(life, "missed"),
            dict.fromkeys(("confirmed", "en_route", "at_pickup"), "missed"),
        ),
    },
    "offer": {
        "accept": (post("/offers/{offer}/accept"), {"sent": "accepted"}),
        "decline": (post("/offers/{offer}/decline", {"reason": "personal"}), {"sent": "declined"}),
        "answer": (lambda lives, life: lives.call("POST", f"/offers/{life.offer}/answer", {"accept": [life.leg]}), {"sent": "accepted"}),
        "entrust to another": (_entrust_to_another, {"sent": "withdrawn"} | same("declined")),
        "the volunteer is away": (_away, {"sent": "withdrawn", "accepted": "withdrawn"} | same("declined", "expired", "withdrawn")),
        "cancel": (Lives.cancel, {"sent": "withdrawn", "accepted": "withdrawn"} | same("declined", "expired")),
    },
    "run": {
        "publish": (
            post("/days/{day}/publish"),
            {"planned": "published"} | same("published", "started", "finished", "verified", "cancelled"),
        ),
        "cancel": (Lives.cancel, {"planned": "cancelled", "published": "cancelled", "started": "finished"}),
        "en_route": (
            lambda lives, life: lives.tap(life, "en_route"),
            dict.fromkeys(("planned", "published"), "started") | same("started", "finished", "verified"),
        ),
        "completed": (
            lambda lives, life: lives.tap(life, "completed"),
            dict.fromkeys(("planned", "published", "started"), "finished") | same("finished", "verified"),
        ),
    },
    "round": {"plan the day": (lambda lives, life: lives.call("POST", "/rounds", {"date": f"{life.day}"}), same(*states("round")))},
    "engagement": {
        to: (
            lambda lives, life, to=to: lives.engage(life, to),
            {before: to for before, after in TABLE["engagement"].items() if to in after},
        )
        for to in states("engagement")
        if to != "applied"  # nobody is sent back to it: 422, there is no such step
    },
    "credential": {
        "verify": (lambda lives, life: lives.look_at(life, "verify"), {"submitted": "valid"}),
        "refuse": (lambda lives, life: lives.look_at(life, "refuse"), {"submitted": "refused", "valid": "refused"}),
        "a newer one is good": (Lives.newer, {"valid": "replaced"} | same("submitted", "expired", "replaced", "refused")),
    },
}

#: kind -> state after it -> who moves things there without a step of a caller, and from where.
OTHERS: Mapping[Kind, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "request": {},
    "leg": {
        "pending": ("a decline, a lapse, an absence, a new plan", ("standby", "proposed", "offered", "confirmed", "en_route", "at_pickup")),
        "on_call": ("asking with a way back at a time not known yet", ("pending",)),
        "proposed": ("a round, where offers are sent by hand", ("pending", "standby")),
        "standby": ("a round", ("pending", "proposed", "offered", "confirmed", "en_route", "at_pickup")),
        "confirmed": ("the offer that is accepted", ("offered",)),
        "no_show": ("the way there, when nobody was there", ("on_call", "confirmed", "en_route")),
        "unmet": ("time", ("pending", "on_call", "standby", "proposed", "offered")),
        "cancelled": ("nobody: it counts as late", ("en_route", "at_pickup")),
        "late_cancelled": ("the clock", ("pending", "on_call", "standby", "proposed", "offered", "confirmed")),
    },
    "offer": {"expired": ("time", ("sent",))},
    "run": {"verified": ("whoever checks it afterwards", ("finished",)), "started": ("the first tap", ("published",))},
    "round": {
        "running": ("a worker", ("queued", "running")),
        "done": ("a worker", ("running",)),
        "failed": ("a worker", ("queued", "running")),
    },
    "engagement": {},
    "credential": {"expired": ("time", ("valid",)), "replaced": ("a newer one", ("submitted",))},
}


def test_every_move_of_the_lifecycle_is_a_step_or_somebody_elses() -> None:
    assert set(LEADS) == set(OTHERS) == set(WAYS) == set(TABLE)
    for kind, table in TABLE.items():
        assert set(WAYS[kind]) == set(table)
        steps = {pair for _, leads in LEADS[kind].values() for pair in leads.items()}
        others = {(before, after) for after, (_, befores) in OTHERS[kind].items() for before in befores}
        moves = {(before, after) for before, followers in table.items() for after in followers}
        assert others <= moves
        assert moves <= steps | others, kind
        for before, after in steps - moves:
            assert before == after or after in reached(table, before), (kind, before, after)


def reached(table: Mapping[str, frozenset[str]], first: str) -> set[str]:
    """By one move after another."""
    found, edge = {first}, {first}
    while edge := {after for state in edge for after in table[state]} - found:
        found |= edge
    return found


def try_every_step(lives: Lives, kind: Kind, state: str, way: str = "outbound") -> None:
    """All that is refused with one thing, and each step that is taken with a new one; of a `return` only the call for it."""
    service = lives.service
    for role in ("coordinator", "beneficiary"):
        service.key(role)
    life = lives.make(kind, state, way)
    steps = [(step, taken) for step, taken in LEADS[kind].items() if step != "return" or life.way == "return"]
    steps = [(step, taken) for step, taken in steps if step == "return" or way == "outbound"]
    assert lives.state(life) == state
    for step, (call, leads) in steps:
        if state not in leads:
            before = digests(service)
            answer = call(lives, life)
            assert answer.status_code == 409, f"{step}: {answer.status_code} {answer.text}"
            assert digests(service) == before, f"{step} has left a trace"
    for step, (call, leads) in steps:
        if state in leads:
            life = lives.make(kind, state, way)
            before_it = len(events_of(service, life))
            answer = call(lives, life)
            assert answer.status_code < 300, f"{step}: {answer.status_code} {answer.text}"
            assert lives.state(life) == leads[state], step
            told = events_of(service, life)[before_it:]
            assert (told[-1:] == [leads[state]]) if leads[state] != state else (told == []), step


def events_of(service: Service, life: Life) -> list[str]:
    """The states that it has come to, in order."""
    with service.here.store() as store:
        query = sa.select(Event.after).where(Event.subject_id == UUID(life.id)).order_by(Event.seq)
        return list(store.session.scalars(query))


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind in TABLE for state in states(kind)])
def test_only_what_may_follow_follows(service: Service, kind: Kind, state: str) -> None:
    try_every_step(Lives(service), kind, state)


def test_a_way_back_whose_time_is_known_is_not_called_for_again(service: Service) -> None:
    lives = Lives(service)
    for state in (state for state in states("leg") if state != "on_call"):
        try_every_step(lives, "leg", state, "return")


@pytest.mark.slow
@pytest.mark.postgis
@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind in TABLE for state in states(kind)])
def test_only_what_may_follow_follows_on_postgresql(postgis: Database, demo_roads: RoadNetwork, kind: Kind, state: str) -> None:
    try_every_step(Lives(Service(postgis, demo_roads)), kind, state)
