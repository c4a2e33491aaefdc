"""« Est-ce possible ? » over HTTP: coordinators read who could drive, everybody else whether; nothing is kept."""

from tests.api.conftest import Service
from tests.api.operations import digests


def test_a_coordinator_reads_who_and_a_prescriber_only_whether(service: Service) -> None:
    service.here.volunteer("Canary Volunteer", ("06:00", "22:00"))
    wish = {**service.wish_of_mine, "arrive_by": "2026-11-24T11:00:00+01:00", "return_after": "2026-11-24T12:30:00+01:00"}
    service.key("coordinator")
    before = digests(service)
    answer = service.call("coordinator", "POST", "/v1/trip-requests/feasibility", json=wish)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["feasible"]
    assert (told["helpers"][0]["name"], told["helpers"][0]["ways"]) == ("Canary Volunteer", ["outbound", "return"])
    after = digests(service)
    assert {table for table, digest in after.items() if digest != before[table]} == {"access"}  # a look at somebody is on record
    late = {**wish, "arrive_by": "2026-11-24T23:00:00+01:00", "return_after": None}
    other = service.call("coordinator", "POST", "/v1/trip-requests/feasibility", json=late).json()
    assert not other["feasible"]
    assert any(one["kind"] == "volunteer_more" and "Canary Volunteer" in one["sentence"] for one in other["alternatives"])
    mine = service.call("prescriber", "POST", "/v1/beneficiaries", json={"name": "Odette", "home": list(service.here.point())}).json()
    asked = service.call("prescriber", "POST", "/v1/trip-requests/feasibility", json={**late, "beneficiary_id": mine["id"]})
    assert asked.status_code == 200, asked.text
    assert "Canary" not in asked.text
    assert not asked.json()["helpers"]
    assert "volunteer_more" not in asked.text
