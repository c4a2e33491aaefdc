"""Volunteers' lives over HTTP: every pair of states, papers and their pictures, hours, and what a change takes away."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.service.offers import accept_offer
from dispatch.storage.volunteer_tables import CredentialFile
from tests.api import operations
from tests.api.conftest import Service
from tests.api.operations import PICTURE
from tests.dispatch.territories import dump


def digests(service: Service) -> dict[str, str]:
    """Of every table; the driver's key is made before."""
    service.key("driver")
    return operations.digests(service)


def paper_of(service: Service, **parts: Any) -> str:
    volunteer = service.people[service.here.id][0]
    made = service.call("driver", "POST", f"/v1/volunteers/{volunteer}/credentials", json={"kind": "licence", **parts})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


WRONG_DATES = [
    ({"kind": "pilot"}, "kind"),
    ({"kind": "insurance"}, "expires_on"),
    ({"kind": "insurance", "issued_on": "2020-01-01"}, "issued_on"),
    ({"kind": "licence", "issued_on": "2026-11-25"}, "issued_on"),
    ({"kind": "licence", "expires_on": "2026-11-23"}, "expires_on"),
    ({"kind": "licence", "issued_on": "2026-11-23", "expires_on": "2026-11-23"}, "expires_on"),
]


@pytest.mark.parametrize(("sent", "field"), WRONG_DATES)
def test_papers_with_dates_that_cannot_be_are_refused(service: Service, sent: dict[str, Any], field: str) -> None:
    before = digests(service)
    volunteer = service.people[service.here.id][0]
    answer = service.call("driver", "POST", f"/v1/volunteers/{volunteer}/credentials", json=sent)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, field)
    assert digests(service) == before


def test_the_end_of_a_paper_follows_from_its_issue(service: Service) -> None:
    paper = paper_of(service, kind="technical_inspection", issued_on="2024-11-29")
    (found,) = service.call("coordinator", "GET", "/v1/credentials?ending=false").json()["items"]
    assert (found["id"], found["expires_on"], found["state"]) == (paper, "2026-11-29", "submitted")
    assert service.call("coordinator", "GET", "/v1/credentials?ending=true").json()["items"] == []
    assert service.call("coordinator", "POST", f"/v1/credentials/{paper}/verify", json={}).json()["result"]["state"] == "valid"
    (ends,) = service.call("coordinator", "GET", "/v1/credentials?ending=true").json()["items"]
    assert ends["id"] == paper
    volunteer = service.people[service.here.id][0]
    assert service.call("driver", "GET", f"/v1/volunteers/{volunteer}/credentials").json()["missing"] == ["licence", "insurance"]


def test_a_picture_is_sealed_saved_by_staff_only_and_every_look_is_on_record(service: Service) -> None:
    paper = paper_of(service)
    path, pdf = f"/v1/credentials/{paper}/file", {"Content-Type": "application/pdf"}
    assert service.call("coordinator", "GET", path).status_code == 404
    assert service.call("driver", "PUT", path, content=PICTURE, headers=pdf).status_code == 204
    assert PICTURE.hex() not in dump(service.here.database)
    assert service.call("driver", "GET", path).status_code == 403
    shown = service.call("coordinator", "GET", path)
    assert (shown.content, shown.headers["content-type"]) == (PICTURE, "application/pdf")
    assert shown.headers["content-disposition"] == 'attachment; filename="licence.pdf"'
    assert shown.headers["x-content-type-options"] == "nosniff"
    with service.here.store() as store:
        looks = [(row.act, row.kind) for row in store.accesses(None, 50, None)]
    assert ("read", "credential") in looks
    assert service.call("coordinator", "POST", f"/v1/credentials/{paper}/verify", json={}).status_code == 200
    assert service.call("driver", "PUT", path, content=PICTURE, headers=pdf).status_code == 409  # what was seen stays what was seen


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"<html><script>alert(1)</script>", "application/pdf", 422),
        (b"<svg onload=alert(1)>", "image/svg+xml", 415),
        (PICTURE, "image/png", 422),
        (PICTURE, "text/html", 415),
        (PICTURE, "application/json", 415),
        (b"GIF89a", "image/png", 422),
        (b"", "application/pdf", 422),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 5_000_000, "image/png", 413),
    ],
)
def test_only_pictures_are_taken(service: Service, content: bytes, kind: str, status: int) -> None:
    paper = paper_of(service)
    answer = service.call("driver", "PUT", f"/v1/credentials/{paper}/file", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    with service.here.store() as store:
        assert store.session.scalars(sa.select(CredentialFile)).all() == []


def test_a_picture_goes_with_the_person(service: Service) -> None:
    volunteer = service.people[service.here.id][0]
    paper = paper_of(service)
    service.call("driver", "PUT", f"/v1/credentials/{paper}/file", content=PICTURE, headers={"Content-Type": "application/pdf"})
    tag = service.call("coordinator", "GET", f"/v1/volunteers/{volunteer}").headers["ETag"]
    assert service.call("coordinator", "DELETE", f"/v1/volunteers/{volunteer}", headers={"If-Match": tag}).status_code == 204
    with service.here.store() as store:
        assert store.session.scalars(sa.select(CredentialFile)).all() == []
        assert store.engagement(volunteer).state == "left"
    assert service.call("coordinator", "GET", f"/v1/credentials/{paper}/file").status_code == 404


def agreed(service: Service) -> tuple[UUID, UUID]:
    """A volunteer, and a request that he or she has agreed to."""
    place = service.here
    volunteer, request = service.people[place.id][0], place.ask(back="14:50")
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "15:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    return volunteer, request


def test_an_absence_says_what_it_takes_away_before_and_when_it_does(service: Service) -> None:
    volunteer, request = agreed(service)
    path, day = f"/v1/volunteers/{volunteer}/absences", {"first_day": "2026-11-24"}
    would = service.call("driver", "POST", f"{path}?dry_run=true", json=day).json()
    assert (would["done"], would["result"], len(would["touched"])) == (False, None, 2)
    assert service.here.states(request) == ["confirmed", "confirmed"]
    assert service.call("driver", "GET", path).json()["items"] == []
    did = service.call("driver", "POST", path, json=day).json()
    assert (did["done"], did["touched"]) == (True, would["touched"])
    assert service.here.states(request) == ["pending", "pending"]
    absence = did["result"]["id"]
    assert service.call("driver", "DELETE", f"{path}/{absence}").status_code == 204
    assert service.call("driver", "DELETE", f"{path}/{absence}").status_code == 404


def test_a_span_in_use_is_taken_back_and_its_rides_are_open_again(service: Service) -> None:
    volunteer, request = agreed(service)
    path = f"/v1/volunteers/{volunteer}/availability"
    (span,) = service.call("driver", "GET", path).json()["items"]
    did = service.call("driver", "DELETE", f"{path}/{span['id']}").json()
    assert [ride["request_id"] for ride in did["touched"]] == [str(request)] * 2
    assert service.here.states(request) == ["pending", "pending"]


def test_a_refused_pair_is_listed_and_lifted(service: Service) -> None:
    volunteer, person = service.people[service.here.id]
    path = f"/v1/volunteers/{volunteer}/refusals"
    assert service.call("coordinator", "PUT", f"{path}/{person}").json() == {"done": True, "touched": [], "result": None}
    assert service.call("coordinator", "GET", path).json() == {"beneficiary_ids": [str(person)]}
    assert service.call("coordinator", "DELETE", f"{path}/{person}").status_code == 204
    assert service.call("coordinator", "DELETE", f"{path}/{person}").status_code == 404


def test_whom_somebody_prefers_is_noted_listed_and_taken_back_and_not_beside_a_refusal(service: Service) -> None:
    volunteer, person = service.people[service.here.id]
    ties, refusal = f"/v1/volunteers/{volunteer}/ties", f"/v1/volunteers/{volunteer}/refusals/{person}"

    def told() -> list[Any]:
        of_person = service.call("coordinator", "GET", f"/v1/beneficiaries/{person}/ties").json()
        assert service.call("coordinator", "GET", ties).json() == of_person
        return [(tie["preferred"], tie["known"]) for tie in of_person["items"]]

    assert service.call("coordinator", "PUT", f"{ties}/{person}", json={}).status_code == 422
    assert service.call("coordinator", "PUT", f"{ties}/{person}", json={"preferred": True}).status_code == 200
    assert told() == [(True, False)]
    assert service.call("coordinator", "PUT", f"{ties}/{person}", json={"preferred": True, "known": True}).status_code == 200
    assert told() == [(True, True)]
    assert service.call("coordinator", "GET", f"/v1/beneficiaries/{person}/copy").json()["prefers"] == [str(volunteer)]
    assert service.call("coordinator", "GET", f"/v1/volunteers/{volunteer}/copy").json()["knows_well"] == [str(person)]
    assert service.call("coordinator", "DELETE", f"{ties}/{person}").status_code == 204
    assert service.call("coordinator", "DELETE", f"{ties}/{person}").status_code == 404
    service.call("coordinator", "PUT", f"{ties}/{person}", json={"known": True})
    service.call("coordinator", "PUT", refusal)
    assert told() == []
    assert service.call("coordinator", "PUT", f"{ties}/{person}", json={"known": True}).status_code == 409


WRONG_HOURS = [
    [{"weekday": 0, "starts": "08:00", "ends": "12:00"}],
    [{"weekday": 1, "starts": "12:00", "ends": "08:00"}],
    [{"weekday": 1, "starts": "24:00", "ends": "24:00"}],
    [{"weekday": 1, "starts": "08:00", "ends": "25:00"}],
    [{"weekday": 1, "starts": "08:00", "ends": "12:00", "every_weeks": 2}],
    [{"weekday": 1, "starts": "08:00", "ends": "12:00", "valid_from": "2026-12-01", "valid_until": "2026-11-01"}],
    [{"weekday": 1, "starts": "08:00", "ends": "12:00"}, {"weekday": 1, "starts": "11:00", "ends": "13:00"}],
    [{"weekday": 1, "starts": "08:00", "ends": "12:00"}] * 51,
]


@pytest.mark.parametrize("hours", WRONG_HOURS)
def test_weekly_hours_that_cannot_be_are_refused(service: Service, hours: list[dict[str, Any]]) -> None:
    before, volunteer = digests(service), service.people[service.here.id][0]
    path = f"/v1/volunteers/{volunteer}/weekly-hours"
    answer = service.call("driver", "PUT", path, json={"hours": hours}, headers={"If-Match": '"v1"'})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"][:5]) == (422, "hours")
    assert digests(service) == before


def test_of_two_who_write_the_weekly_hours_the_second_one_is_told(service: Service) -> None:
    volunteer = service.people[service.here.id][0]
    path, tag = f"/v1/volunteers/{volunteer}/weekly-hours", {"If-Match": '"v1"'}
    grid = {"hours": [{"weekday": 2, "starts": "08:00", "ends": "24:00", "valid_from": "2026-11-01", "every_weeks": 2}]}
    assert service.call("driver", "PUT", path, json=grid, headers=tag).status_code == 200
    assert service.call("coordinator", "PUT", path, json={"hours": []}, headers=tag).status_code == 412
    assert [row["ends"] for row in service.call("driver", "GET", path).json()["hours"]] == ["24:00"]


WRONG_ABSENCES = [
    {},
    {"last_day": "2026-12-01"},
    {"first_day": "2026-12-02", "last_day": "2026-12-01"},
    {"first_day": "2026-12-02", "starts_at": "2026-12-02T10:00:00Z"},
    {"starts_at": "2026-12-02T10:00:00Z"},
    {"starts_at": "2026-12-02T10:00:00Z", "ends_at": "2026-12-02T10:00:00Z"},
    {"first_day": "2020-12-02"},
    {"first_day": "2026-12-02", "last_day": "2030-12-02"},
]


@pytest.mark.parametrize("sent", WRONG_ABSENCES)
def test_absences_that_cannot_be_are_refused(service: Service, sent: dict[str, Any]) -> None:
    before, volunteer = digests(service), service.people[service.here.id][0]
    assert service.call("driver", "POST", f"/v1/volunteers/{volunteer}/absences", json=sent).status_code == 422
    assert digests(service) == before


def test_nobody_changes_the_hours_or_papers_of_others(service: Service) -> None:
    other = service.here.volunteer("Canary Other")
    mine = service.people[service.here.id][0]
    (span,) = service.call("coordinator", "GET", f"/v1/volunteers/{other}/availability").json()["items"]
    before = digests(service)
    for path in (f"/v1/volunteers/{other}/availability/{span['id']}", f"/v1/volunteers/{mine}/availability/{span['id']}"):
        assert service.call("driver", "DELETE", path).status_code == 404
    assert digests(service) == before


def test_the_ledger_counts_four_weeks(service: Service) -> None:
    volunteer, _ = agreed(service)
    nothing = service.call("driver", "GET", f"/v1/volunteers/{volunteer}/ledger").json()
    assert (nothing["rides"], nothing["offers"], nothing["accepted"]) == (0, 1, 1)
    service.here.world.advance(timedelta(days=2))
    found = service.call("driver", "GET", f"/v1/volunteers/{volunteer}/ledger").json()
    assert (found["rides"], found["minutes"], found["km"], found["declines"], found["lapses"]) == (2, 600, 1.0, 0, 0)
    service.here.world.advance(timedelta(days=28))
    assert service.call("driver", "GET", f"/v1/volunteers/{volunteer}/ledger").json()["rides"] == 0
