"""Eligibility over HTTP: written by staff alone, over what they have read; told to whoever asks in words that say what is missing."""

from typing import Any

from tests.api.conftest import Service
from tests.api.operations import tds_query


def test_it_is_written_over_what_was_read_held_against_wishes_and_withdrawn(service: Service) -> None:
    person = str(service.people[service.here.id][1])
    path = f"/v1/beneficiaries/{person}/eligibility"
    service.here.rule(eligibility={"rule": "asked"})
    wish = {**service.wish(), "beneficiary_id": person}

    def ask(role: str, **parts: Any) -> Any:
        headers = {"Accept-Language": "fr"}
        return service.call(role, "POST", "/v1/trip-requests", json={**wish, **parts}, headers=headers)

    (fault,) = ask("beneficiary").json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("beneficiary_id", "not_eligible")
    assert fault["detail"] == "Aucun droit aux trajets n'est noté pour cette personne : la coordination le note d'abord."
    assert service.call("coordinator", "POST", "/v1/tds/trip-request", json=tds_query(wish)).json()["tripRejectionReason"] == "INVALID_USER"

    read = service.call("coordinator", "GET", path)
    assert read.json() == {"asked": True, "eligibility": None, "rides_beyond": 0, "taken_up": 0}
    new = {"kind": "temporary", "valid_until": "2026-11-30", "purposes": ["medical"], "proof": "paper", "seen_on": "2026-11-20"}
    assert service.call("coordinator", "PUT", path, json=new).status_code == 428
    assert service.call("beneficiary", "PUT", path, json=new, headers={"If-Match": read.headers["etag"]}).status_code == 403
    written = service.call("coordinator", "PUT", path, json=new, headers={"If-Match": read.headers["etag"]})
    assert {name: written.json()["eligibility"][name] for name in new} == new
    assert service.call("manager", "PUT", path, json=new, headers={"If-Match": read.headers["etag"]}).status_code == 412
    copy = service.call("beneficiary", "GET", f"/v1/beneficiaries/{person}/copy").json()
    assert copy["eligibility"] == written.json()["eligibility"]

    assert ask("beneficiary", purpose="medical").status_code == 202
    assert ask("beneficiary", purpose="grocery").json()["errors"][0]["pointer"] == "purpose"
    assert ask("beneficiary", purpose="grocery", override=True).json()["errors"][0]["code"] == "not_yours"
    assert ask("coordinator", purpose="grocery", override=True).status_code == 202

    assert service.call("coordinator", "DELETE", path, headers={"If-Match": written.headers["etag"]}).status_code == 204
    (entry,) = [one for one in service.call("coordinator", "GET", "/v1/attention").json()["items"] if one["kind"] == "not_eligible"]
    assert (entry["person_id"], entry["sentence_en"]) == (
        person,
        "Without eligibility: 1 ride planned. Write it into the file, or cancel.",
    )
    assert service.call("coordinator", "GET", path).json()["rides_beyond"] == 1
