"""Things brought into a state over HTTP, each on a day of its own so that none meets another. For tests of what may follow what.

Only what no caller can do is done beside it: time that passes, a round's plan, the planner's turn, and states that nothing leads to yet.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx2

from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner
from dispatch.model.intake import NewAvailability
from dispatch.model.lifecycle import Kind
from dispatch.service.people import add_availability
from dispatch.service.rounds import claim_round, enqueue_round, fail_round, load_day, save_round
from dispatch.storage.base import Table
from dispatch.storage.rows import KINDS
from dispatch.storage.tables import Leg, Run
from tests.api.conftest import Service
from tests.dispatch.territories import make_plan


@dataclass(kw_only=True)
class Life:
    """One thing, and what it hangs together with."""

    kind: Kind
    id: str = ""
    request: str = ""
    leg: str = ""
    offer: str = ""
    volunteer: str = ""
    way: str = "outbound"
    another: str = ""  # volunteer, who is there that day too
    day: dt.date
    pickup: dt.datetime | None = None


class Lives:
    """Makes things; whatever is made is a day later than what was made before."""

    def __init__(self, service: Service) -> None:
        self.service, self.place, self.world = service, service.here, service.here.world
        self.day = self.world.now().date()

    def make(self, kind: Kind, state: str, way: str = "outbound") -> Life:
        """One in this state, on the next day on which nothing is."""
        life = Life(kind=kind, way="return" if state == "on_call" else way, day=self.next_day())
        WAYS[kind][state](self, life)
        if kind in ("leg", "offer"):
            life.another = self.driver(life)
        life.id = life.id or {"request": life.request, "leg": life.leg, "offer": life.offer}.get(kind, "")
        if kind == "run" and not life.id:
            with self.place.store() as store:
                life.id = str(store.active_assignments([UUID(life.leg)])[UUID(life.leg)].run_id)
        return life

    def next_day(self) -> dt.date:
        self.day = max(self.day, self.world.now().date()) + dt.timedelta(days=1)
        return self.day

    def state(self, life: Life) -> str:
        """Where it is now, as the database has it."""
        with self.place.store() as store:
            row = store.session.get(TABLES[life.kind], UUID(life.id), populate_existing=True)
            found: str = row.state  # type: ignore[union-attr]
        return found

    def call(self, method: str, path: str, body: Any = None, role: str = "coordinator", **headers: str) -> httpx2.Response:
        return self.service.call(role, method, f"/v1{path}", json=body, headers=headers)

    def did(self, method: str, path: str, body: Any = None, role: str = "coordinator", **headers: str) -> Any:
        """The answer to a call that has to work."""
        answer = self.call(method, path, body, role, **headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def ask(self, life: Life, *, role: str = "coordinator", called: bool = True) -> None:
        """A request; one about a way back has that at a time not known yet, unless it is `called`."""
        back = life.way == "return"
        wish = {"beneficiary_id": str(self.service.people[self.place.id][1]), "arrive_by": self.moment(life, 9), "return_open": back}
        ends = {"origin": list(self.place.point()), "destination": list(self.place.point())}
        made = self.did("POST", "/trip-requests", {**wish, **ends}, role)
        life.request = made["id"]
        life.leg = next(leg["id"] for leg in made["legs"] if leg["direction"] == life.way)
        if back and called:
            assert self.bring_back(life).status_code == 200

    def bring_back(self, life: Life) -> httpx2.Response:
        return self.call("POST", f"/trip-requests/{life.request}/return", {"ready_at": self.moment(life, 10)})

    def moment(self, life: Life, hour: int) -> str:
        return dt.datetime.combine(life.day, dt.time(hour), dt.UTC).isoformat()

    def look_first(self, life: Life) -> None:
        """A request that somebody has to look at."""
        with self.place.store() as store:
            store.territory().rules = {"booking": {"accept_at_once": False}}
        self.ask(life, role="beneficiary")

    def driver(self, life: Life) -> str:
        """A volunteer who is there on the day."""
        found = self.place.volunteer(f"Canary {uuid4()}", span=None)
        begins = dt.datetime.combine(max(life.day, self.world.now().date() + dt.timedelta(days=1)), dt.time(5), dt.UTC)
        with self.place.store() as store:
            add_availability(store, found, NewAvailability(starts_at=begins, ends_at=begins + dt.timedelta(hours=12)), self.world)
        return str(found)

    def entrust(self, life: Life) -> None:
        if not life.request:
            self.ask(life)
        life.volunteer = self.driver(life)
        offer = self.did("POST", f"/legs/{life.leg}/offer", {"volunteer_id": life.volunteer, "both_ways": False})
        life.offer, life.pickup = offer["id"], dt.datetime.fromisoformat(offer["legs"][0]["told_pickup_at"])

    def agree(self, life: Life) -> None:
        self.entrust(life)
        self.did("POST", f"/offers/{life.offer}/accept")

    def wait(self, life: Life, before: dt.timedelta = dt.timedelta()) -> None:
        """Until the ride, unless that has come."""
        if life.pickup is not None:
            self.world.advance(max(life.pickup - before - self.world.now(), dt.timedelta()))

    def tap(self, life: Life, state: str) -> httpx2.Response:
        self.wait(life)
        return self.call("POST", f"/legs/{life.leg}/status", {"id": str(uuid4()), "state": state, "at": self.world.now().isoformat()})

    def drive(self, life: Life, *taps: str) -> None:
        self.agree(life)
        for state in taps:
            if state == "no_show":
                self.world.advance(dt.timedelta(minutes=30))
            assert self.tap(life, state).status_code == 200

    def cancel(self, life: Life) -> httpx2.Response:
        return self.call("POST", f"/trip-requests/{life.request}/cancel", {"leg": None if life.kind == "request" else life.way})

    def turn(self, *doings: str) -> None:
        """What the planner does by itself when time has passed."""
        planner = Planner(self.place.database, self.place.network, LocalBus(), self.service.parts.settings, self.world)
        for doing in doings:
            getattr(planner, doing)()

    def round_of(self, life: Life) -> Any:
        """Asked for and taken by a worker."""
        with self.place.store() as store:
            row = enqueue_round(store, life.day, 1.0, 1, self.world)
            return load_day(store, claim_round(store, row.id, self.world), self.world)

    def nobody(self, life: Life) -> None:
        """A round finds nobody."""
        self.ask(life)
        snapshot = self.round_of(life)
        with self.place.store() as store:
            save_round(store, snapshot, make_plan({}, ((UUID(life.request), life.way),)), 240, self.world)

    def by_hand(self, life: Life, table: type[Any], state: str) -> None:
        """A state that no call and no round leads to yet."""
        with self.place.store() as store:
            store.move(store.get(table, UUID(life.leg if table is Leg else life.id)), state, self.world)

    def paper(self, life: Life, *steps: str) -> None:
        """A licence of a volunteer, looked at or not."""
        life.volunteer = life.volunteer or self.driver(life)
        life.id = self.did(
            "POST",
            f"/volunteers/{life.volunteer}/credentials",
            {"kind": "licence", "expires_on": f"{self.world.now().date() + dt.timedelta(days=365)}"},
        )["id"]
        for step in steps:
            assert self.look_at(life, step).status_code == 200

    def look_at(self, life: Life, step: str, paper: str | None = None) -> httpx2.Response:
        return self.call("POST", f"/credentials/{paper or life.id}/{step}", {"reason": "unreadable"} if step == "refuse" else {})

    def newer(self, life: Life) -> httpx2.Response:
        """Another paper of the kind is handed in and found good."""
        newer = self.did("POST", f"/volunteers/{life.volunteer}/credentials", {"kind": "licence"})["id"]
        return self.look_at(life, "verify", newer)

    def apply(self, life: Life, *steps: str) -> None:
        """Somebody who offers to drive, and has come so far."""
        life.volunteer = self.did("POST", "/volunteers", {"name": "Nouvelle", "home": list(self.place.point()), "apply": True})["id"]
        life.id = life.volunteer
        for step in steps:
            assert self.engage(life, step).status_code == 200

    def engage(self, life: Life, to: str) -> httpx2.Response:
        return self.call("POST", f"/volunteers/{life.volunteer}/engagement", {"to": to})


TABLES: Mapping[Kind, type[Table]] = {kind: table for table, kind in KINDS.items()}
Make = Callable[[Lives, Life], None]


def _cancelled(lives: Lives, life: Life) -> None:
    lives.agree(life)
    assert lives.cancel(life).status_code == 200


def _late_cancelled(lives: Lives, life: Life) -> None:
    lives.agree(life)
    lives.wait(life, before=dt.timedelta(minutes=5))
    assert lives.cancel(life).status_code == 200


def _unmet(lives: Lives, life: Life) -> None:
    lives.nobody(life)
    lives.world.advance(dt.datetime.combine(life.day, dt.time(20), dt.UTC) - lives.world.now())
    lives.turn("give_up")


def _lapsed(lives: Lives, life: Life) -> None:
    lives.entrust(life)
    lives.wait(life)
    lives.turn("lapse_offers")


def _refused(lives: Lives, life: Life) -> None:
    lives.look_first(life)
    lives.did("POST", f"/trip-requests/{life.request}/refuse", {"code": "other"})


def _declined(lives: Lives, life: Life) -> None:
    lives.entrust(life)
    lives.did("POST", f"/offers/{life.offer}/decline", {"reason": "personal"})


def _published(lives: Lives, life: Life) -> None:
    lives.agree(life)
    lives.did("POST", f"/days/{life.day}/publish")


def _run_cancelled(lives: Lives, life: Life) -> None:
    lives.agree(life)
    with lives.place.store() as store:
        life.id = str(store.active_assignments([UUID(life.leg)])[UUID(life.leg)].run_id)
    assert lives.cancel(life).status_code == 200


def _verified(lives: Lives, life: Life) -> None:
    lives.drive(life, "completed")
    with lives.place.store() as store:
        life.id = str(store.active_assignments([UUID(life.leg)])[UUID(life.leg)].run_id)
    lives.by_hand(life, Run, "verified")


def _proposed(lives: Lives, life: Life) -> None:
    lives.ask(life)
    lives.by_hand(life, Leg, "proposed")


def _expired(lives: Lives, life: Life) -> None:
    lives.paper(life, "verify")
    lives.world.advance(dt.timedelta(days=400))
    lives.turn("end_papers")


def _replaced(lives: Lives, life: Life) -> None:
    lives.paper(life, "verify")
    assert lives.newer(life).status_code == 200


def _queued(lives: Lives, life: Life) -> None:
    life.id = lives.did("POST", "/rounds", {"date": life.day.isoformat()})["id"]


def _running(lives: Lives, life: Life) -> None:
    _queued(lives, life)
    lives.round_of(life)


def _done(lives: Lives, life: Life) -> None:
    _queued(lives, life)
    snapshot = lives.round_of(life)
    with lives.place.store() as store:
        save_round(store, snapshot, make_plan({}), 240, lives.world)


def _failed(lives: Lives, life: Life) -> None:
    _queued(lives, life)
    snapshot = lives.round_of(life)
    with lives.place.store() as store:
        fail_round(store, snapshot.round_id, snapshot.token, "overtaken", lives.world)


#: kind -> state -> how one gets there. A state without a way fails a test.
WAYS: Mapping[Kind, Mapping[str, Make]] = {
    "request": {
        "submitted": Lives.look_first,
        "accepted": Lives.agree,
        "refused": _refused,
        "cancelled": _cancelled,
        "closed": lambda lives, life: lives.drive(life, "completed"),
    },
    "leg": {
        "pending": Lives.ask,
        "on_call": lambda lives, life: lives.ask(life, called=False),
        "standby": Lives.nobody,
        "proposed": _proposed,
        "offered": Lives.entrust,
        "confirmed": Lives.agree,
        "en_route": lambda lives, life: lives.drive(life, "en_route"),
        "at_pickup": lambda lives, life: lives.drive(life, "at_pickup"),
        "on_board": lambda lives, life: lives.drive(life, "on_board"),
        "completed": lambda lives, life: lives.drive(life, "completed"),
        "no_show": lambda lives, life: lives.drive(life, "at_pickup", "no_show"),
        "missed": lambda lives, life: lives.drive(life, "missed"),
        "cancelled": _cancelled,
        "late_cancelled": _late_cancelled,
        "unmet": _unmet,
    },
    "offer": {
        "sent": Lives.entrust,
        "accepted": Lives.agree,
        "declined": _declined,
        "expired": _lapsed,
        "withdrawn": _cancelled,
    },
    "run": {
        "planned": Lives.agree,
        "published": _published,
        "started": lambda lives, life: lives.drive(life, "en_route"),
        "finished": lambda lives, life: lives.drive(life, "completed"),
        "verified": _verified,
        "cancelled": _run_cancelled,
    },
    "round": {"queued": _queued, "running": _running, "done": _done, "failed": _failed},
    "engagement": {
        "applied": Lives.apply,
        "vetting": lambda lives, life: lives.apply(life, "vetting"),
        "active": lambda lives, life: lives.apply(life, "vetting", "active"),
        "suspended": lambda lives, life: lives.apply(life, "vetting", "active", "suspended"),
        "left": lambda lives, life: lives.apply(life, "left"),
        "refused": lambda lives, life: lives.apply(life, "refused"),
    },
    "credential": {
        "submitted": Lives.paper,
        "valid": lambda lives, life: lives.paper(life, "verify"),
        "expired": _expired,
        "replaced": _replaced,
        "refused": lambda lives, life: lives.paper(life, "refuse"),
    },
}
