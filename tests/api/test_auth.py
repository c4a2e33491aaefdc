"""Nobody gets in without a key, no role beyond its rows, nobody into another territory."""

import itertools
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from api import auth
from dispatch.service.offers import accept_offer
from dispatch.storage.tables import Offer
from tests.api.conftest import Service
from tests.api.operations import description
from tests.dispatch.territories import TestTerritory


@dataclass(frozen=True)
class Route:
    """One operation, as the application describes itself."""

    name: str
    method: str
    path: str


def routes(service: Service) -> list[Route]:
    paths = description(service)["paths"]
    found = [
        Route(operation["operationId"], method.upper(), path)
        for path, methods in paths.items()
        if path.startswith("/v1")
        for method, operation in methods.items()
        if operation["operationId"] not in auth.OPEN
    ]
    assert len(found) > 15
    return found


MORE = ("webhook_id", "call_id", "notice_id", "kind", "language", "form")


def filled(path: str, values: UUID) -> str:
    for name in ("beneficiary_id", "volunteer_id", "request_id", "round_id", "offer_id", "account_id", "key_id", "territory_id", *MORE):
        path = path.replace("{" + name + "}", str(values))
    return path


def test_health_and_documentation_are_all_that_is_open(service: Service) -> None:
    open_paths = {path for path in description(service)["paths"] if not path.startswith("/v1")}
    assert open_paths == {"/livez", "/readyz"}


def test_a_route_without_a_row_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert service.call("coordinator", "GET", "/v1/offers").status_code == 200
    monkeypatch.setattr(auth, "ALLOWED", {name: roles for name, roles in auth.ALLOWED.items() if name != "list_offers"})
    assert service.call("coordinator", "GET", "/v1/offers").status_code == 403


def test_without_a_key_every_route_answers_the_same(many: Service) -> None:
    for route, header in itertools.product(routes(many), ({}, {"Authorization": "Bearer "}, {"Authorization": "Basic eDp5"})):
        answer = many.client.request(route.method, filled(route.path, uuid4()), headers=header)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), route.name
        assert answer.json()["type"] == "urn:allons:error:unauthenticated"


def test_two_keys_at_once_are_none(service: Service) -> None:
    key = f"Bearer {service.key('coordinator')}"
    answer = service.client.get("/v1/offers", headers=[("Authorization", key), ("Authorization", key)])
    assert answer.status_code == 401


def test_a_key_in_the_address_is_not_looked_at(service: Service) -> None:
    assert service.client.get("/v1/offers", params={"key": service.key("coordinator")}).status_code == 401


def test_partners_see_what_they_entered(service: Service) -> None:
    person = service.call("partner", "POST", "/v1/beneficiaries", json={"name": "Odette", "home": list(service.people_home)}).json()["id"]
    assert service.call("partner", "POST", "/v1/trip-requests", json=service.wish()).status_code == 422  # somebody else's person
    mine = service.call("partner", "POST", "/v1/trip-requests", json=service.wish(beneficiary_id=person)).json()["id"]
    staffs = service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish(arrive_by="2026-11-24T09:00:00+01:00")).json()["id"]
    assert [row["id"] for row in service.call("partner", "GET", "/v1/trip-requests").json()["items"]] == [mine]
    assert service.call("partner", "GET", f"/v1/trip-requests/{mine}").status_code == 200
    for method, path in (("GET", f"/v1/trip-requests/{staffs}"), ("POST", f"/v1/trip-requests/{staffs}/cancel")):
        assert service.call("partner", method, path).status_code == 404
    assert [row["id"] for row in service.call("partner", "GET", "/v1/beneficiaries").json()["items"]] == [person]
    assert len(service.call("coordinator", "GET", "/v1/trip-requests").json()["items"]) == 2


def test_beneficiaries_see_and_ask_for_themselves_only(service: Service) -> None:
    neighbour = service.here.person("Canary Duval")
    theirs = service.here.ask(neighbour)
    mine = service.call("beneficiary", "POST", "/v1/trip-requests", json=service.wish()).json()["id"]
    assert [row["id"] for row in service.call("beneficiary", "GET", "/v1/trip-requests").json()["items"]] == [mine]
    assert service.call("beneficiary", "GET", f"/v1/trip-requests/{theirs}").status_code == 404
    assert service.call("beneficiary", "POST", f"/v1/trip-requests/{theirs}/cancel").status_code == 404
    assert service.call("beneficiary", "GET", f"/v1/beneficiaries/{neighbour}").status_code == 404
    refused = service.call("beneficiary", "POST", "/v1/trip-requests", json=service.wish(beneficiary_id=str(neighbour)))
    nobody = service.call("beneficiary", "POST", "/v1/trip-requests", json=service.wish(beneficiary_id=str(uuid4())))
    assert refused.status_code == nobody.status_code == 422
    assert refused.json()["errors"] == nobody.json()["errors"]


def offered_to(place: TestTerritory, volunteer: UUID, person: UUID) -> str:
    request = place.ask(person)
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    return str(place.offer(request).id)


def test_volunteers_see_and_answer_what_they_were_asked(service: Service) -> None:
    volunteer, person = service.people[service.here.id]
    mine = offered_to(service.here, volunteer, person)
    other = service.here.volunteer("Other")
    theirs = offered_to(service.here, other, service.here.person("Duval"))
    assert [row["id"] for row in service.call("driver", "GET", "/v1/offers").json()["items"]] == [mine]
    for method, path, body in (("GET", "", None), ("POST", "/accept", None), ("POST", "/decline", {"reason": "other"})):
        assert service.call("driver", method, f"/v1/offers/{theirs}{path}", json=body).status_code == 404
    assert service.call("driver", "GET", f"/v1/volunteers/{other}").status_code == 404
    assert service.call("driver", "GET", f"/v1/volunteers/{other}/availability").status_code == 404
    assert service.call("driver", "GET", f"/v1/volunteers/{volunteer}").status_code == 200


def test_a_volunteer_learns_name_and_door_only_after_saying_yes(service: Service) -> None:
    volunteer, person = service.people[service.here.id]
    offer = offered_to(service.here, volunteer, person)
    before = service.call("driver", "GET", f"/v1/offers/{offer}")
    assert "Canary" not in before.text
    assert "0611" not in before.text
    assert all(round(x, 2) == x for leg in before.json()["legs"] for point in (leg["origin"], leg["destination"]) for x in point)
    with service.here.store() as store:
        accept_offer(store, store.get(Offer, UUID(offer)), service.here.world)
    after = service.call("driver", "GET", f"/v1/offers/{offer}").json()
    assert (after["beneficiary_name"], after["beneficiary_phone"]) == ("Canary Roussel", "0611223344")
    assert any(round(x, 2) != x for leg in after["legs"] for x in leg["origin"])


def test_an_admin_makes_territories_and_reads_nobody(service: Service) -> None:
    made = service.call("admin", "POST", "/v1/territories", json={"name": "Pays neuf"})
    assert made.status_code == 201
    assert {row["name"] for row in service.call("admin", "GET", "/v1/territories").json()["items"]} == {
        "Canary-Here",
        "Canary-There",
        "Pays neuf",
    }
    assert [row["name"] for row in service.call("coordinator", "GET", "/v1/territories").json()["items"]] == ["Canary-Here"]
    assert service.call("admin", "POST", "/v1/territories", json={"name": "Pays neuf"}).status_code == 409
