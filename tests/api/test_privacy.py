"""People's rights over HTTP: a copy of everything, and erasure that a stale or repeated call cannot do."""

from tests.api.conftest import Service

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
    assert set(copy.json()) == {"person", "availability", "offers", "runs"}
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
