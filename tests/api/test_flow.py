"""The way of one request over HTTP, with the planner beside it: asked for, offered, declined, offered to another, accepted."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.api.conftest import Service


@pytest.fixture
def running(database: Database, demo_roads: RoadNetwork) -> Iterator[Service]:
    """With its planner, on either database."""
    service = Service(database, demo_roads, planner=True)
    with service.client:
        yield service


def wait_for(service: Service, request: str, *states: str) -> list[dict[str, Any]]:
    """Legs of a request, once they are in these states."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        legs: list[dict[str, Any]] = service.call("coordinator", "GET", f"/v1/trip-requests/{request}").json()["legs"]
        if [leg["state"] for leg in legs] == list(states):
            return legs
        time.sleep(0.1)
    pytest.fail(f"still {[leg['state'] for leg in legs]}")


def test_a_posted_request_is_planned_declined_planned_again_and_accepted(running: Service) -> None:
    call = running.call
    running.here.volunteer("Second")
    request = call("beneficiary", "POST", "/v1/trip-requests", json=running.wish()).json()["id"]
    asked = set()
    for answer in ("decline", "accept"):
        legs = wait_for(running, request, "offered", "offered")
        (offer,) = call("coordinator", "GET", "/v1/offers?state=sent").json()["items"]
        assert {leg["volunteer_id"] for leg in legs} == {offer["volunteer_id"]}
        asked.add(offer["volunteer_id"])
        body = {"reason": "schedule_conflict"} if answer == "decline" else None
        assert call("coordinator", "POST", f"/v1/offers/{offer['id']}/{answer}", json=body).status_code == 200
    assert len(asked) == 2
    wait_for(running, request, "confirmed", "confirmed")
    again = call("coordinator", "POST", f"/v1/offers/{offer['id']}/accept")
    assert (again.status_code, again.json()["type"]) == (409, "urn:allons:error:illegal_move")
    cancelled = call("beneficiary", "POST", f"/v1/trip-requests/{request}/cancel").json()
    assert [leg["state"] for leg in cancelled["legs"]] == ["cancelled", "cancelled"]
    ended = {row["state"] for row in call("coordinator", "GET", "/v1/offers").json()["items"]}
    assert ended == {"withdrawn", "declined"}


def test_rides_of_an_absence_are_given_to_others_by_the_next_round(running: Service) -> None:
    """An absence typed in the evening: reopened with the answer, offered again within one round, and what others agreed on stays."""
    call = running.call
    running.here.volunteer("Second")
    requests = []
    for hour in (9, 14):
        moments = {"arrive_by": f"2026-11-24T{hour:02}:40:00+01:00", "return_after": f"2026-11-24T{hour + 1:02}:40:00+01:00"}
        person = str(running.here.person(f"P{hour}"))
        requests.append(call("coordinator", "POST", "/v1/trip-requests", json=running.wish(beneficiary_id=person, **moments)).json()["id"])
    for request in requests:
        wait_for(running, request, "offered", "offered")
    for offer in call("coordinator", "GET", "/v1/offers?state=sent").json()["items"]:
        assert call("coordinator", "POST", f"/v1/offers/{offer['id']}/accept").status_code == 200
    driven = {leg["id"]: leg for request in requests for leg in wait_for(running, request, "confirmed", "confirmed")}
    away = next(iter(driven.values()))["volunteer_id"]
    gone = {leg_id for leg_id, leg in driven.items() if leg["volunteer_id"] == away}
    told = call("coordinator", "POST", f"/v1/volunteers/{away}/absences", json={"first_day": "2026-11-24"}).json()
    assert {ride["leg_id"] for ride in told["touched"]} == gone
    for request in requests:
        legs = call("coordinator", "GET", f"/v1/trip-requests/{request}").json()["legs"]
        states = ["offered" if leg["id"] in gone else "confirmed" for leg in legs]
        for leg in wait_for(running, request, *states):
            assert leg["volunteer_id"] != away
            if leg["id"] not in gone:
                assert leg == driven[leg["id"]]


def test_a_round_asked_for_by_hand_is_waited_for_and_shows_its_plan(running: Service) -> None:
    first = running.call("coordinator", "POST", "/v1/trip-requests", json=running.wish(needs=["oxygen"])).json()["id"]
    made = running.call("coordinator", "POST", "/v1/rounds", json={"date": "2026-11-24", "seconds": 0.5})
    assert (made.status_code, made.json()["state"]) == (202, "queued")
    found = running.call("coordinator", "GET", f"/v1/rounds/{made.json()['id']}?wait=30").json()
    assert found["state"] == "done"
    assert found["summary"]["violations"] == 0
    assert {leg["request"] for leg in found["plan"]["unserved"]} == {first}
    assert {leg["reason"] for leg in found["plan"]["unserved"]} == {"NEEDS_UNMET"}
    (way, _) = wait_for(running, first, "standby", "standby")
    assert way["unserved"]["sentence"].endswith(".")


def test_the_service_says_when_it_is_ready_and_when_it_is_not(service: Service) -> None:
    assert service.client.get("/livez").json() == {"status": "ok"}
    assert service.client.get("/readyz").json()["roads"] == service.parts.network.version
    with service.here.database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    answer = service.client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "allons migrate" in answer.json()["detail"]


def test_the_documentation_describes_every_operation(service: Service) -> None:
    described = service.client.get("/openapi.json").json()
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["description"].endswith("."), operation["operationId"]
    wish = described["components"]["schemas"]["NewTrip"]["properties"]
    assert wish["arrive_by"]["examples"]
    assert wish["origin"]["examples"]
    assert service.client.get("/", follow_redirects=False).headers["location"] == "/login?next=/"


def test_a_territory_is_given_a_timetable_and_other_workers(service: Service) -> None:
    path = f"/v1/territories/{service.here.id}"
    seen = service.call("manager", "GET", path)
    assert (seen.json()["timetable"], seen.json()["queue"], seen.headers["ETag"]) == ([], "rounds", '"v1"')
    chosen = {key: seen.json()[key] for key in ("name", "policy", "rules", "queue")} | {"timetable": [{"at": "17:00", "ahead": 1}]}
    changed = service.call("manager", "PUT", path, json=chosen, headers={"If-Match": '"v1"'})
    assert (changed.status_code, changed.json()["timetable"], changed.headers["ETag"]) == (200, chosen["timetable"], '"v2"')
    assert service.call("manager", "PUT", path, json=chosen, headers={"If-Match": '"v1"'}).status_code == 412
    moved = {**chosen, "queue": "north"}
    assert service.call("manager", "PUT", path, json=moved, headers={"If-Match": '"v2"'}).status_code == 403
    assert service.call("admin", "PUT", path, json=moved, headers={"If-Match": '"v2"'}).json()["queue"] == "north"
    taken = service.call("admin", "PUT", path, json={**chosen, "name": "Canary-There"}, headers={"If-Match": '"v3"'})
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:allons:error:conflict")
    new = {"name": "Pays neuf", "queue": "west", "timetable": [{"at": "06:00", "ahead": 0}]}
    made = service.call("admin", "POST", "/v1/territories", json=new).json()
    assert {key: made[key] for key in new} == new
