"""People's rights over HTTP: a copy of everything, and erasure that a stale or repeated call cannot do."""

from typing import Any

import pytest

from tests.api.conftest import Service
from tests.api.test_auth import offered_to

TYPES = ("beneficiaries", "volunteers")


def test_a_copy_holds_everything_and_of_others_nothing(service: Service) -> None:
    person = str(service.people[service.here.id][1])
    asked = service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish()).json()
    for role in ("coordinator", "beneficiary"):
        copy = service.call(role, "GET", f"/v1/beneficiaries/{person}/copy")
        assert copy.status_code == 200
        assert copy.json()["person"]["id"] == person
        assert [request["id"] for request in copy.json()["requests"]] == [asked["id"]]
    there = str(service.people[service.there.id][1])
    assert service.call("coordinator", "GET", f"/v1/beneficiaries/{there}/copy").status_code == 404


def test_a_volunteers_copy_names_no_passenger(service: Service) -> None:
    volunteer = str(service.people[service.here.id][0])
    copy = service.call("driver", "GET", f"/v1/volunteers/{volunteer}/copy")
    assert copy.status_code == 200
    assert set(copy.json()) == {"person", "weekly_hours", "availability", "absences", "papers", "offers", "runs", "knows_well"}
    assert copy.json()["person"]["id"] == volunteer


def test_erasing_needs_the_version_that_was_read_and_leaves_nothing_to_read(service: Service) -> None:
    new = {"name": "canary Paulette", "home": list(service.here.point())}
    for kind in TYPES:
        key = {"Idempotency-Key": f"erase-{kind}-1"}
        made = service.call("coordinator", "POST", f"/v1/{kind}", json=new, headers=key)
        path = f"/v1/{kind}/{made.json()['id']}"
        assert service.call("coordinator", "DELETE", path).status_code == 428
        assert service.call("coordinator", "DELETE", path, headers={"If-Match": '"9"'}).status_code == 412
        tag = service.call("coordinator", "GET", path).headers["etag"]
        assert service.call("coordinator", "DELETE", path, headers={"If-Match": tag}).status_code == 204
        for again in (
            service.call("coordinator", "GET", path),
            service.call("coordinator", "GET", f"{path}/copy"),
            service.call("coordinator", "DELETE", path, headers={"If-Match": tag}),
            service.call("coordinator", "POST", f"/v1/{kind}", json=new, headers=key),  # the answer of then named the person
        ):
            assert again.status_code == 404
            assert "canary" not in again.text
        assert "canary" not in service.call("coordinator", "GET", f"/v1/{kind}").text


def test_who_has_rides_to_come_is_kept_and_a_request_for_whom_is_erased_refused(service: Service) -> None:
    person = str(service.people[service.here.id][1])
    asked = service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish()).json()
    tag = service.call("coordinator", "GET", f"/v1/beneficiaries/{person}").headers["etag"]
    refused = service.call("coordinator", "DELETE", f"/v1/beneficiaries/{person}", headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["detail"]) == (409, "This person has rides to come: cancel them first.")
    service.call("coordinator", "POST", f"/v1/trip-requests/{asked['id']}/cancel")
    assert service.call("coordinator", "DELETE", f"/v1/beneficiaries/{person}", headers={"If-Match": tag}).status_code == 204
    again = service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish())
    assert (again.status_code, again.json()["errors"][0]["pointer"]) == (422, "beneficiary_id")


@pytest.mark.parametrize("role", ["prescriber", "partner"])
def test_a_referrers_copy_holds_what_it_entered_and_nothing_that_others_did(service: Service, role: str) -> None:
    home = list(service.people_home)
    person = service.call(role, "POST", "/v1/beneficiaries", json={"name": "Odette", "home": home}).json()["id"]
    asked = {
        who: service.call(
            who, "POST", "/v1/trip-requests", json=service.wish(beneficiary_id=person, arrive_by=at, return_after=None)
        ).json()["id"]
        for who, at in ((role, "2026-11-24T10:00:00+01:00"), ("coordinator", "2026-11-24T15:00:00+01:00"))
    }
    copies = {who: service.call(who, "GET", f"/v1/beneficiaries/{person}/copy").json()["requests"] for who in asked}
    assert [request["id"] for request in copies[role]] == [asked[role]]
    assert {request["id"] for request in copies["coordinator"]} == set(asked.values())


def test_that_somebody_agreed_is_kept_with_the_wording_the_moment_and_who_says_so(service: Service) -> None:
    new = {"name": "Odette", "home": list(service.people_home), "consent": "referral-1"}
    unknown = service.call("prescriber", "POST", "/v1/beneficiaries", json=new | {"consent": "referral-0"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "consent")
    made = service.call("prescriber", "POST", "/v1/beneficiaries", json=new)
    path = f"/v1/beneficiaries/{made.json()['id']}"
    tag = {"If-Match": service.call("coordinator", "GET", path).headers["etag"]}
    (said,) = service.call("prescriber", "GET", f"{path}/copy").json()["consents"]
    assert (said["wording"], said["noted_at"]) == ("referral-1", service.here.world.now().isoformat().replace("+00:00", "Z"))
    assert said["noted_by"] is not None
    assert service.call("coordinator", "PUT", path, json=new, headers=tag).status_code == 200  # agreed once more
    by = [one["noted_by"] for one in service.call("coordinator", "GET", f"{path}/copy").json()["consents"]]
    assert said["noted_by"] in by and len(set(by)) == 2
    assert service.call("prescriber", "GET", f"{path}/copy").json()["consents"] == [said]


class Looks:
    """Who has looked at whom, as the log of a service has it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.seen = set(self._ids())

    def _ids(self) -> dict[str, Any]:
        found = self.service.call("manager", "GET", "/v1/accesses?limit=200").json()["items"]
        return {row["id"]: (row["act"], row["kind"], row["subject_id"], row["count"]) for row in found}

    def new(self) -> list[Any]:
        """Since it was asked last."""
        found = self._ids()
        fresh = [told for row_id, told in found.items() if row_id not in self.seen]
        self.seen = set(found)
        return fresh


def test_every_answer_about_somebody_is_on_record(service: Service) -> None:
    volunteer, person = (str(row_id) for row_id in service.people[service.here.id])
    about = ("beneficiary", person, 1)
    offer = offered_to(service.here, *service.people[service.here.id])
    (request,) = service.call("coordinator", "GET", "/v1/trip-requests").json()["items"]
    (round_,) = service.call("coordinator", "GET", "/v1/rounds").json()["items"]
    looks = Looks(service)
    span = {"starts_at": "2026-12-01T10:00:00Z", "ends_at": "2026-12-01T11:00:00Z"}
    later = service.wish(arrive_by="2026-11-26T10:40:00+01:00", return_after=None)
    expected: list[tuple[tuple[str, str, str], Any, list[Any]]] = [
        (("coordinator", "GET", "/v1/trip-requests"), None, [("read", "beneficiary", None, 1)]),
        (("coordinator", "GET", f"/v1/trip-requests/{request['id']}"), None, [("read", *about)]),
        (("coordinator", "GET", f"/v1/rounds/{round_['id']}"), None, [("read", "round", round_["id"], 1)]),
        (("driver", "GET", f"/v1/offers/{offer}"), None, []),  # nobody is named yet
        (("driver", "POST", f"/v1/offers/{offer}/accept"), None, [("read", *about)]),
        (("driver", "GET", f"/v1/offers/{offer}"), None, [("read", *about)]),
        (("driver", "POST", f"/v1/offers/{offer}/decline"), {"reason": "other"}, []),
        (("driver", "POST", f"/v1/volunteers/{volunteer}/availability"), span, [("changed", "volunteer", volunteer, 1)]),
        (("driver", "GET", f"/v1/volunteers/{volunteer}/availability"), None, [("read", "volunteer", volunteer, 1)]),
        (("beneficiary", "POST", "/v1/trip-requests"), later, [("changed", *about)]),
        (("beneficiary", "POST", f"/v1/trip-requests/{request['id']}/cancel"), None, [("changed", *about)]),
        (
            ("coordinator", "PUT", f"/v1/volunteers/{volunteer}/refusals/{person}"),
            None,
            [("changed", "volunteer", volunteer, 1), ("changed", *about)],
        ),
    ]
    for (role, method, path), body, told in expected:
        answer = service.call(role, method, path, **({"json": body} if body else {}))
        assert answer.status_code < 300 or (answer.status_code, told) == (409, []), (path, answer.text)
        assert sorted(looks.new(), key=str) == sorted(told, key=str), (method, path)


def test_staff_who_note_an_answer_read_whose_ride_it_is(service: Service) -> None:
    person = str(service.people[service.here.id][1])
    offer = offered_to(service.here, *service.people[service.here.id])
    looks = Looks(service)
    answer = service.call("coordinator", "POST", f"/v1/offers/{offer}/decline", json={"reason": "other"})
    assert answer.json()["beneficiary_name"] == "Canary Roussel"
    assert looks.new() == [("read", "beneficiary", person, 1)]


def test_an_answer_that_cannot_be_put_on_record_is_not_given(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = offered_to(service.here, *service.people[service.here.id])

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("dispatch.storage.store.Store.note_access", fail)
        answer = service.call("driver", "POST", f"/v1/offers/{offer}/accept")
        assert answer.status_code == 500
        assert "Canary" not in answer.text
    assert service.call("driver", "GET", f"/v1/offers/{offer}").json()["state"] == "sent"  # in one transaction
