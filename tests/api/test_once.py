"""A creating request that is repeated has one effect and the same answer, whatever goes wrong in between."""

import threading
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner
from dispatch.storage.database import Database
from dispatch.storage.replies import KEPT, Replies
from dispatch.storage.tables import Beneficiary, Reply, TripRequest
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.api.operations import description

KEY = {"Idempotency-Key": "a-key-of-my-own"}


def person(service: Service, name: str = "Jeanne") -> dict[str, Any]:
    return {"name": name, "home": list(service.people_home)}


def post(service: Service, role: str = "coordinator", name: str = "Jeanne", **rest: Any) -> httpx2.Response:
    return service.call(role, "POST", "/v1/beneficiaries", json=person(service, name), **{"headers": KEY, **rest})


def count(service: Service, table: Any = Beneficiary) -> int:
    with service.here.store() as store:
        return int(store.session.scalar(sa.select(sa.func.count()).select_from(table).where(table.territory_id == service.here.id)) or 0)


def test_a_repeated_request_is_done_once_and_answered_with_the_same_bytes(service: Service) -> None:
    before = count(service)
    first, second = post(service), post(service)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert count(service) == before + 1


def test_a_name_is_repeated_as_it_was_and_not_kept_beside_the_vault(service: Service) -> None:
    name = 'Zoë "Œil" d\'Été 🙂 <b>\u0301'
    first, second = post(service, name=name), post(service, name=name)
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    with service.here.store() as store:
        assert "Œil" not in "".join(store.session.scalars(sa.select(Reply.body)))


def test_another_request_with_the_same_key_is_refused(service: Service) -> None:
    post(service)
    before = count(service)
    for again in (
        post(service, name="Paulette"),
        service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish(), headers=KEY),
    ):
        assert (again.status_code, again.json()["type"]) == (422, "urn:allons:error:key_reused")
    assert count(service) == before


def test_two_clients_may_have_the_same_key(service: Service) -> None:
    ids = {post(service, role).json()["id"] for role in ("coordinator", "partner")}
    there = post(service, at=service.there)
    assert len({*ids, there.json()["id"]}) == 3


def test_a_request_that_was_refused_leaves_its_key_free(service: Service) -> None:
    wrong = service.call("coordinator", "POST", "/v1/beneficiaries", json={**person(service), "home": [0, 0]}, headers=KEY)
    assert wrong.status_code == 422
    assert post(service).status_code == 201


@pytest.mark.parametrize("path", ["/v1/beneficiaries", "/v1/volunteers", "/v1/trip-requests", "/v1/rounds"])
@pytest.mark.parametrize("key", [None, "", "short", "x" * 256, "with space in it", "tab\tin it!", "é" * 9])
def test_a_creating_request_needs_a_proper_key(service: Service, path: str, key: str | None) -> None:
    headers = [("Authorization", f"Bearer {service.key('coordinator')}")]
    if key is not None:
        headers.append(("Idempotency-Key", key.encode()))  # type: ignore[arg-type]
    answer = service.client.post(path, json=person(service), headers=headers)
    assert answer.status_code == 422, answer.text
    assert "Idempotency-Key" in [error["pointer"] for error in answer.json()["errors"]]
    assert not key or len(key) < 6 or key not in answer.text


def test_every_creating_route_asks_for_a_key(service: Service) -> None:
    for path, methods in description(service)["paths"].items():
        for method, operation in methods.items():
            creates = method == "post" and ({"201", "202"} & set(operation["responses"]) or path.startswith("/v1/imports/"))
            asks = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
            assert bool(creates) == bool(asks), path


@pytest.fixture
def both(database: Database, demo_roads: RoadNetwork) -> Service:
    """The service on either database."""
    return Service(database, demo_roads)


def race(service: Service) -> list[httpx2.Response]:
    """Sixteen clients of one key, four requests, at the same moment."""
    service.key("coordinator")
    gate, answers = threading.Barrier(16), list[httpx2.Response]()

    def one(number: int) -> None:
        gate.wait()
        answers.append(post(service, name=f"P{number % 4}", headers={"Idempotency-Key": f"request-{number % 4}"}))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_many_repetitions_at_once_one_is_done(both: Service) -> None:
    before = count(both)
    answers = race(both)
    assert [answer.status_code for answer in answers] == [201] * 16
    assert len({answer.json()["id"] for answer in answers}) == 4
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 12
    assert count(both) == before + 4


def test_without_the_memory_of_keys_every_repetition_would_be_done(both: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Replies, "find", lambda *_: None)
    monkeypatch.setattr(Replies, "keep", lambda *_: None)
    before = count(both)
    race(both)
    assert count(both) == before + 16


def test_without_the_wait_two_repetitions_at_once_end_in_one_by_the_table_itself(both: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Replies, "lock", lambda *_: None)
    before = count(both)
    answers = race(both)
    assert {answer.status_code for answer in answers} <= {201, 409}  # 409: the row of the reply was there already
    assert count(both) == before + 4


def test_a_crash_after_the_effect_leaves_neither_effect_nor_key(both: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError

    before = count(both)
    with monkeypatch.context() as patch:
        patch.setattr(Replies, "keep", crash)
        assert post(both).status_code == 500
    assert count(both) == before
    assert post(both).status_code == 201
    assert count(both) == before + 1


def test_answers_are_forgotten_after_two_days(both: Service) -> None:
    post(both)
    both.call("admin", "POST", "/v1/territories", json={"name": "Neuf"}, headers=KEY)
    planner = Planner(both.parts.database, both.parts.network, LocalBus(), both.parts.settings, both.here.world)
    planner.forget()
    assert count(both, Reply) == 1
    both.here.world.advance(KEPT + timedelta(minutes=1))
    planner.forget()
    assert count(both, Reply) == 0
    with both.parts.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Reply)) == 0


def test_a_trip_asked_for_twice_is_one_trip(service: Service) -> None:
    for _ in range(2):
        assert service.call("beneficiary", "POST", "/v1/trip-requests", json=service.wish_of_mine, headers=KEY).status_code == 202
    assert count(service, TripRequest) == 1
