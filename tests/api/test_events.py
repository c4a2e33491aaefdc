"""The logs over HTTP: every step, and every look at people's data, of the own territory only."""

from typing import Any

from tests.api.conftest import Service


def entries(service: Service, path: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.call("coordinator", "GET", f"/v1/{path}", params=query).json()["items"]
    return found


def test_steps_are_listed_newest_first_and_by_subject(service: Service) -> None:
    asked = service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish()).json()
    assert [step["after"] for step in entries(service, "events") if step["kind"] != "engagement"] == ["accepted"]
    service.call("coordinator", "POST", f"/v1/trip-requests/{asked['id']}/cancel")
    steps = entries(service, "events")
    since = [step for step in steps if step["kind"] != "engagement"]
    assert {(step["kind"], step["before"], step["after"]) for step in since} == {
        ("request", "submitted", "accepted"),
        ("request", "accepted", "cancelled"),
        ("leg", "pending", "cancelled"),
    }
    assert [step["subject_id"] for step in entries(service, "events", subject_id=asked["id"])] == [asked["id"]] * 2
    page = service.call("coordinator", "GET", "/v1/events", params={"limit": 2}).json()
    rest = entries(service, "events", after=page["next"])
    assert [*page["items"], *rest] == steps
    assert all(step["actor_id"] for step in since)


def test_every_look_at_people_is_on_record_and_what_they_saw_is_not(service: Service) -> None:
    volunteer, person = (str(found) for found in service.people[service.here.id])
    before = {entry["id"] for entry in entries(service, "accesses", limit=200)}
    service.call("coordinator", "GET", f"/v1/beneficiaries/{person}")
    service.call("beneficiary", "GET", f"/v1/beneficiaries/{person}")
    service.call("coordinator", "GET", "/v1/volunteers")
    service.call("driver", "GET", f"/v1/volunteers/{volunteer}/copy")
    service.call("coordinator", "GET", f"/v1/beneficiaries/{service.people[service.there.id][1]}")  # of somewhere else: no look
    after = entries(service, "accesses", limit=200)
    new = [(entry["act"], entry["kind"], entry["subject_id"], entry["count"]) for entry in after if entry["id"] not in before]
    assert sorted(new, key=str) == sorted(
        [
            ("read", "beneficiary", person, 1),
            ("read", "beneficiary", person, 1),
            ("read", "volunteer", None, 1),
            ("copied", "volunteer", volunteer, 1),
        ],
        key=str,
    )
    assert len({entry["actor_id"] for entry in after if entry["subject_id"] == person and entry["act"] == "read"}) == 2
    assert "anary" not in str(after)


def test_a_change_and_its_record_are_there_together(service: Service) -> None:
    made = service.call("coordinator", "POST", "/v1/beneficiaries", json={"name": "Odette", "home": list(service.here.point())})
    path, tag = f"/v1/beneficiaries/{made.json()['id']}", service.call("coordinator", "GET", f"/v1/beneficiaries/{made.json()['id']}")
    new = {"name": "Paulette", "home": list(service.here.point())}
    assert service.call("coordinator", "PUT", path, json=new, headers={"If-Match": tag.headers["etag"]}).status_code == 200
    assert service.call("coordinator", "PUT", path, json=new, headers={"If-Match": tag.headers["etag"]}).status_code == 412
    tag = service.call("coordinator", "GET", path)
    assert service.call("coordinator", "DELETE", path, headers={"If-Match": tag.headers["etag"]}).status_code == 204
    acts = [entry["act"] for entry in entries(service, "accesses", subject_id=made.json()["id"])]
    assert sorted(acts) == sorted(["made", "read", "changed", "read", "erased"])
