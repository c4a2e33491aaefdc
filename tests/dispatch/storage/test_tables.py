"""The tables' own guarantees, broken one by one on both databases; and, with a guard removed, the harm it prevents."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from dispatch.errors import Conflict
from dispatch.model.lifecycle import INITIAL
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import (
    ApiKey,
    Assignment,
    Availability,
    Leg,
    Offer,
    OfferLeg,
    Refusal,
    Round,
    UnservedLeg,
)
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, NOW, TestTerritory, at

Row = Callable[[TestTerritory, TestTerritory], Any]


@pytest.fixture
def pair(database: Database, demo_roads: RoadNetwork) -> tuple[TestTerritory, TestTerritory]:
    """Two territories on one database."""
    return TestTerritory(database, demo_roads, "A", 1), TestTerritory(database, demo_roads, "B", 2)


def offered(territory: TestTerritory) -> tuple[Leg, Offer, Assignment]:
    """A request whose way there is offered."""
    volunteer, request = territory.volunteer(), territory.ask(back=None)
    territory.run_round({(request, "outbound"): (volunteer, "10:00")})
    (way,) = territory.trip(request).legs
    assert way.assignment is not None
    return way.leg, territory.offer(request), way.assignment


def again(row: Any, **changes: Any) -> Any:
    """The same row under a new id."""
    table = sa.inspect(type(row))
    values = {c.key: getattr(row, c.key) for c in table.column_attrs}
    kind = {"trip_request": "request"}.get(row.__tablename__, row.__tablename__)
    begun = {"state": INITIAL[kind], "version": 0} if kind in INITIAL else {}
    return type(row)(**(values | begun | {"id": uuid4()} | changes))


def second_offer(leg: Leg, offer: Offer) -> list[Any]:
    """One more offer about the same leg."""
    other = again(offer)
    return [other, OfferLeg(id=uuid4(), offer_id=other.id, leg_id=leg.id, open=True)]


CHECKED: dict[str, Row] = {
    "a request with two times": lambda a, _: again(a.trip(a.ask()).request, depart_after=at("10:00")),
    "a request with no time": lambda a, _: again(a.trip(a.ask()).request, arrive_by=None),
    "a return before the way there": lambda a, _: again(a.trip(a.ask()).request, return_after=at("07:00")),
    "nobody travelling": lambda a, _: again(a.trip(a.ask()).request, seats=0),
    "an unknown state": lambda a, _: again(a.trip(a.ask()).request, state="whatever"),
    "an availability that ends before it starts": lambda a, _: Availability(
        id=uuid4(), volunteer_id=a.volunteer(), starts_at=at("12:00"), ends_at=at("08:00"), created_at=NOW
    ),
    "a leg twice": lambda a, _: again(a.trip(a.ask()).legs[0].leg),
    "a drop-off before its pickup": lambda a, _: again(offered(a)[2], active=False, dropoff_at=at("06:00")),
    "a second active assignment of a leg": lambda a, _: again(offered(a)[2]),
    "a second open offer about a leg": lambda a, _: second_offer(*offered(a)[:2]),
    "a decline without a reason": lambda a, _: again(offered(a)[1], state="declined"),
    "a reason without a decline": lambda a, _: again(offered(a)[1], state="expired", decline_reason="too_far"),
    "two queued rounds of a day": lambda a, _: [
        Round(id=uuid4(), service_date=DATE, state="queued", seconds=1.0, seed=1, queued_at=NOW) for _ in range(2)
    ],
    "a request of another territory's person": lambda a, b: again(a.trip(a.ask()).request, beneficiary_id=b.person()),
    "an availability of another territory's volunteer": lambda _, b: Availability(
        id=uuid4(), volunteer_id=b.volunteer(), starts_at=at("08:00"), ends_at=at("12:00"), created_at=NOW
    ),
    "a refusal across territories": lambda a, b: Refusal(volunteer_id=a.volunteer(), beneficiary_id=b.person()),
    "a leg of another territory's request": lambda _, b: Leg(id=uuid4(), request_id=b.ask(back=None), direction="return", state="pending"),
    "an assignment to another territory's volunteer": lambda a, b: again(offered(a)[2], active=False, volunteer_id=b.volunteer()),
    "an offer to another territory's volunteer": lambda a, b: again(offered(a)[1], volunteer_id=b.volunteer()),
    "an unserved leg of another territory": lambda a, b: UnservedLeg(
        id=uuid4(), leg_id=offered(b)[0].id, round_id=offered(a)[2].round_id, reason="X", sentence="", sentence_en=""
    ),
    "an admin with a territory": lambda _, __: ApiKey(id=uuid4(), role="admin", prefix="p", secret_sha256="s", created_at=NOW),
    "a driver's key without a holder": lambda _, __: ApiKey(id=uuid4(), role="driver", prefix="p", secret_sha256="s", created_at=NOW),
    "an unknown role": lambda _, __: ApiKey(id=uuid4(), role="root", prefix="p", secret_sha256="s", created_at=NOW),
}


@pytest.mark.parametrize("what", CHECKED)
def test_the_tables_refuse(what: str, pair: tuple[TestTerritory, TestTerritory]) -> None:
    a, b = pair
    made = CHECKED[what](a, b)
    with pytest.raises(Conflict), a.store() as store:
        store.add(*(made if isinstance(made, list) else [made]))


@pytest.mark.parametrize(
    ("index", "what"),
    [
        ("uq_assignment_active_leg", "a second active assignment of a leg"),
        ("uq_offer_leg_open", "a second open offer about a leg"),
        ("uq_round_queued", "two queued rounds of a day"),
    ],
)
def test_without_its_guard_the_table_takes_the_harm(index: str, what: str, pair: tuple[TestTerritory, TestTerritory]) -> None:
    a, b = pair
    made = CHECKED[what](a, b)
    with a.database._engine.begin() as connection:
        connection.exec_driver_sql(f"DROP INDEX {index}")
    with a.store() as store:
        store.add(*(made if isinstance(made, list) else [made]))


def test_two_people_who_change_one_leg_do_not_overwrite_each_other(pair: tuple[TestTerritory, TestTerritory]) -> None:
    a, _ = pair
    request = a.ask(back=None)
    with a.database.read() as early:
        (old,) = Store(early, a.id).legs_of([request])[request]
    with a.store() as store:
        store.move(store.legs_of([request])[request][0], "standby", a.world)
    with pytest.raises(Conflict), a.store() as store:
        store.move(store.session.merge(old, load=False), "cancelled", a.world)
    assert a.states(request) == ["standby"]


def test_an_availability_may_end_late_but_starts_before_it_ends(pair: tuple[TestTerritory, TestTerritory]) -> None:
    a, _ = pair
    night = {"starts_at": at("20:00"), "ends_at": at("20:00") + timedelta(hours=8)}
    row = Availability(id=uuid4(), volunteer_id=a.volunteer(), created_at=NOW, **night)
    with a.store() as store:
        store.add(row)
