"""Of two people who change one file at once, the second one is told; nobody overwrites what they have not seen."""

import threading
from typing import Any

import httpx2
import pytest

from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.api.conftest import Service

KINDS = ("beneficiaries", "volunteers")


@pytest.fixture
def both(database: Database, demo_roads: RoadNetwork) -> Service:
    """The service on either database."""
    return Service(database, demo_roads)


def path_of(service: Service, kind: str) -> str:
    volunteer, person = service.people[service.here.id]
    return f"/v1/{kind}/{person if kind == 'beneficiaries' else volunteer}"


def body(service: Service, kind: str, name: str) -> dict[str, Any]:
    return {"name": name, "home": list(service.people_home), **({"active": True} if kind == "volunteers" else {})}


def put(service: Service, kind: str, name: str, etag: str | None) -> httpx2.Response:
    headers = {} if etag is None else {"If-Match": etag}
    return service.call("coordinator", "PUT", path_of(service, kind), json=body(service, kind, name), headers=headers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_needs_the_version_it_is_based_on(both: Service, kind: str) -> None:
    seen = both.call("coordinator", "GET", path_of(both, kind)).headers["etag"]
    assert put(both, kind, "Nouveau Nom", None).status_code == 428
    changed = put(both, kind, "Nouveau Nom", seen)
    assert (changed.status_code, changed.json()["name"]) == (200, "Nouveau Nom")
    assert changed.headers["etag"] == both.call("coordinator", "GET", path_of(both, kind)).headers["etag"] != seen
    late = put(both, kind, "Trop Tard", seen)
    assert (late.status_code, late.json()["type"]) == (412, "urn:allons:error:stale")
    assert both.call("coordinator", "GET", path_of(both, kind)).json()["name"] == "Nouveau Nom"


@pytest.mark.parametrize("tag", ["*", 'W/"v1"', "v1", '"v1", "v2"', '""', '"v999"', "x" * 90])
def test_any_other_tag_changes_nothing(service: Service, tag: str) -> None:
    assert put(service, "beneficiaries", "X", tag).status_code == 412
    assert service.call("coordinator", "GET", path_of(service, "beneficiaries")).json()["name"] == "Canary Roussel"


@pytest.mark.parametrize("kind", KINDS)
def test_of_ten_changes_at_once_one_is_made(both: Service, kind: str) -> None:
    seen = both.call("coordinator", "GET", path_of(both, kind)).headers["etag"]
    gate, codes = threading.Barrier(10), list[int]()

    def one(number: int) -> None:
        gate.wait()
        codes.append(put(both, kind, f"N{number}", seen).status_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] + [412] * 9


def test_a_wrong_file_changes_nothing(service: Service) -> None:
    etag = service.call("coordinator", "GET", path_of(service, "volunteers")).headers["etag"]
    for wrong in ({"seats": -1}, {"home": [0, 0]}, {"active": None}, {"version": 7}, {"territory_id": str(service.there.id)}):
        sent = {**body(service, "volunteers", "X"), **wrong}
        answer = service.call("coordinator", "PUT", path_of(service, "volunteers"), json=sent, headers={"If-Match": etag})
        assert answer.status_code == 422
    assert service.call("coordinator", "GET", path_of(service, "volunteers")).headers["etag"] == etag


def test_a_volunteer_who_stops_is_not_asked_any_more(service: Service) -> None:
    etag = service.call("coordinator", "GET", path_of(service, "volunteers")).headers["etag"]
    sent = {**body(service, "volunteers", "X"), "active": False}
    assert (
        service.call("coordinator", "PUT", path_of(service, "volunteers"), json=sent, headers={"If-Match": etag}).json()["active"] is False
    )
    with service.here.store() as store:
        assert list(store.active_volunteers()) == []


def test_partners_change_whom_they_entered(service: Service) -> None:
    made = service.call("partner", "POST", "/v1/beneficiaries", json=body(service, "beneficiaries", "Ginette"))
    path = f"/v1/beneficiaries/{made.json()['id']}"
    etag = service.call("partner", "GET", path).headers["etag"]
    sent = {"json": body(service, "beneficiaries", "Ginette Petit"), "headers": {"If-Match": etag}}
    assert service.call("partner", "PUT", path, **sent).status_code == 200
    assert service.call("partner", "PUT", path_of(service, "beneficiaries"), **sent).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_comparison_of_versions_the_first_change_is_lost(service: Service, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = service.call("coordinator", "GET", path_of(service, kind)).headers["etag"]
    assert put(service, kind, "Premier", seen).status_code == 200
    assert put(service, kind, "Second", seen).status_code == 412
    monkeypatch.setattr("api.routes.people.check_version", lambda *_: None)
    assert put(service, kind, "Second", seen).status_code == 200
    assert service.call("coordinator", "GET", path_of(service, kind)).json()["name"] == "Second"
