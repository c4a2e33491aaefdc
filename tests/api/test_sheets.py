"""Sheets over HTTP: a trial shows everything and writes nothing, one bad line keeps all out, and what goes out comes in again."""

import csv
import io
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from dispatch.model.sheets import SHEETS
from dispatch.service import exports
from dispatch.service.privacy import erase_person
from dispatch.storage.database import Database
from dispatch.storage.rows import Rows
from dispatch.storage.tables import Beneficiary, TripRequest, Volunteer
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.dispatch.territories import TestTerritory, dump

HEAD = "nom;telephone;domicile_lon;domicile_lat;besoins"


def send(
    service: Service, name: str, text: str | bytes, query: str = "", at: TestTerritory | None = None, **headers: str
) -> httpx2.Response:
    """A file, as a coordinator."""
    content = text.encode() if isinstance(text, str) else text
    path = f"/v1/imports/{name}{query}"
    return service.call("coordinator", "POST", path, at=at, content=content, headers={"Content-Type": "text/csv", **headers})


def people(service: Service, *names: str, needs: str = "") -> str:
    """Lines of beneficiaries."""
    homes = [service.here.point() for _ in names]
    lines = [f"{name};06 12 34 56 {k:02};{lon};{lat};{needs}" for k, (name, (lon, lat)) in enumerate(zip(names, homes, strict=True))]
    return "\n".join([HEAD, *lines]) + "\n"


def count(service: Service, table: Any = Beneficiary, place: TestTerritory | None = None) -> int:
    with (place or service.here).store() as store:
        return len(store.page(table, None, 1000))


def told(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_trial_shows_every_line_and_writes_nothing(service: Service) -> None:
    text = people(service, "Odette Canary", "Simone Canary") + "Bad Canary;06 11 22 33 44;x;46;\n;;2,3;46,2;\n"
    service.key("coordinator")
    before = dump(service.here.database)
    found = told(send(service, "beneficiaries", text, "?dry_run=true"))
    assert (found["outcome"], found["good"], found["bad"]) == ("tried", 2, 2)
    assert [(line["line"], line["ok"], line["id"]) for line in found["lines"]] == [
        (2, True, None),
        (3, True, None),
        (4, False, None),
        (5, False, None),
    ]
    assert [[error["field"] for error in line["errors"]] for line in found["lines"]] == [[], [], ["home_lon"], ["name"]]
    assert count(service) == 1
    after = dump(service.here.database)
    assert "Canary" not in str(found)
    assert len(after.split("\n")) - len(before.split("\n")) == 7  # the answer that is kept for whoever repeats this


def test_one_bad_line_keeps_all_out_and_on_request_only_itself(service: Service) -> None:
    text = people(service, "Odette", "Simone") + "Lucette;06 11 22 33 44;2,9;46,9;\n"  # far from every road
    refused = told(send(service, "beneficiaries", text))
    assert (refused["outcome"], refused["good"], refused["bad"], count(service)) == ("refused", 2, 1, 1)
    assert refused["lines"][2]["errors"][0]["code"] == "far_from_roads"
    assert [line["id"] for line in refused["lines"]] == [None] * 3
    written = told(send(service, "beneficiaries", text, "?only_good=true"))
    assert (written["outcome"], count(service)) == ("written", 3)
    made = service.call("coordinator", "GET", f"/v1/beneficiaries/{written['lines'][0]['id']}").json()
    assert (made["name"], made["phone"]) == ("Odette", "06 12 34 56 00")
    with service.here.store() as store:
        noted = {(row.subject_id, row.act) for row in store.accesses(None, 50, None)}
    assert {(UUID(line["id"]), "made") for line in written["lines"][:2]} <= noted


def test_a_file_that_is_sent_again_has_one_effect(service: Service) -> None:
    text, once = people(service, "Odette", "Simone"), {"Idempotency-Key": "a-file-1"}
    first = send(service, "beneficiaries", text, **once)
    again = send(service, "beneficiaries", text, **once)
    assert (again.text, again.headers["Idempotency-Replayed"], count(service)) == (first.text, "true", 3)
    assert send(service, "beneficiaries", text, "?dry_run=true", **once).json()["type"] == "urn:allons:error:key_reused"
    anew = told(send(service, "beneficiaries", text))
    assert (anew["outcome"], {line["errors"][0]["code"] for line in anew["lines"]}, count(service)) == ("refused", {"duplicate"}, 3)


def test_people_who_are_there_already_are_told_however_they_are_written(service: Service) -> None:
    lon, lat = service.here.point()
    lines = [
        f"Odette  ROUSSEL;+33 6 12 34 56 78;{lon};{lat};",
        f"odette roussel;06.12.34.56.78;{service.people_home[0]};{service.people_home[1]};",  # the same telephone
        f"Odette Roussel;;{lon};{lat};",  # the same home
        f"Odette Roussel;06 99 99 99 99;{service.people_home[0]};{service.people_home[1]};",  # somebody else
    ]
    found = told(send(service, "beneficiaries", "\n".join([HEAD, *lines]), "?only_good=true"))
    assert [line["ok"] for line in found["lines"]] == [True, False, False, True]
    assert found["lines"][1]["errors"][0]["detail"] == "is the same person as in line 2"


def test_a_name_like_a_formula_is_a_name(service: Service) -> None:
    written = told(send(service, "beneficiaries", people(service, "=1+1", "@SUM(A1)")))
    names = {service.call("coordinator", "GET", f"/v1/beneficiaries/{line['id']}").json()["name"] for line in written["lines"]}
    assert names == {"=1+1", "@SUM(A1)"}


def test_rides_are_asked_for_by_name_and_by_the_clock_on_the_wall(service: Service) -> None:
    told(send(service, "beneficiaries", people(service, "Odette Roussel", "Jeanne Double", "Jeanne Double")))
    a, b = service.here.point(), service.here.point()
    place = f"{a[0]};{a[1]};{b[0]};{b[1]}"
    head = "beneficiaire;telephone;date;depart_lon;depart_lat;arrivee_lon;arrivee_lat;arriver_avant;retour_apres;personnes"
    lines = [
        f"Odette Roussel;;25/11/2026;{place};10h40;11:30;2",
        f"Odette Roussel;;25/11/2026;{place};10:40;;",  # asked for twice
        f"Jeanne Double;;25/11/2026;{place};10:40;;",
        f"Jeanne Double;06 12 34 56 02;25/11/2026;{place};10:40;;",
        f"Nobody Here;;25/11/2026;{place};10:40;;",
        f"Odette Roussel;;28/03/2027;{place};02:30;;",  # the night of the clock change
        f"Odette Roussel;;;{place};12:30;;",
        f"Odette Roussel;;;{place};2026-11-25T12:30:00+01:00;;",
        f"Odette Roussel;;20/11/2026;{place};10:40;;",
        f"Odette Roussel;;25/11/2026;{place};;;",
        f";;25/11/2026;{place};10:40;;",
    ]
    found = told(send(service, "trip-requests", "\n".join([head, *lines]), "?only_good=true"))
    assert [line["errors"][0]["code"] if line["errors"] else line["ok"] for line in found["lines"]] == [
        True,
        "conflict",
        "ambiguous",
        True,
        "unknown",
        "invalid",
        "invalid",
        True,
        "past",
        "invalid",
        "missing",
    ]
    assert [len(line["errors"]) for line in found["lines"]][2:5] == [1, 0, 1]  # who is meant is told once
    made = service.call("coordinator", "GET", f"/v1/trip-requests/{found['lines'][0]['id']}").json()
    with service.here.store() as store:
        assert ("changed", UUID(made["beneficiary_id"])) in {(row.act, row.subject_id) for row in store.accesses(None, 50, None)}
    assert (made["arrive_by"], made["return_after"], made["seats"]) == ("2026-11-25T09:40:00Z", "2026-11-25T10:30:00Z", 2)
    assert count(service, TripRequest) == 3


def test_a_sheet_that_went_out_comes_in_again_elsewhere(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)  # several pages
    told(send(service, "beneficiaries", people(service, "=Odette", "Simone", "Lucette", "Ginette", needs="cane|walker")))
    service.here.volunteer("+Marcel", seats=3, max_km=80.5, accepts_needs=("cane",))
    for name, table in (("beneficiaries", Beneficiary), ("volunteers", Volunteer)):
        for lang in ("fr", "en"):
            answer = service.call("coordinator", "GET", f"/v1/exports/{name}.csv?lang={lang}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
            assert answer.text.startswith("\ufeff")
            found = told(send(service, name, answer.content, "?dry_run=true", at=service.there))
            assert {error["code"] for line in found["lines"] for error in line["errors"]} <= {"duplicate"}, found
            assert found["good"] + found["bad"] == count(service, table)
            assert found["good"] >= count(service, table) - 1  # there is a Canary Roussel in both
        again = told(send(service, name, answer.content))
        assert {error["code"] for line in again["lines"] for error in line["errors"]} == {"duplicate"}
        told(send(service, name, answer.content, "?only_good=true", at=service.there))
        here, there = (sorted(rows(service, name, place), key=str) for place in (service.here, service.there))
        assert [row for row in there if "Canary" not in row["name"]] == [row for row in here if "Canary" not in row["name"]] != []


def rows(service: Service, name: str, place: TestTerritory) -> list[dict[str, Any]]:
    """What there is, but for ids and times of entry."""
    items = service.call("coordinator", "GET", f"/v1/{name}?limit=200", at=place).json()["items"]
    return [{key: value for key, value in item.items() if key not in ("id", "created_at")} for item in items]


def test_requests_that_were_cancelled_can_be_asked_for_again_from_their_sheet(service: Service) -> None:
    asked = service.here.ask(service.people[service.here.id][1])
    sheet = service.call("coordinator", "GET", "/v1/exports/trip-requests.csv?date=2026-11-24").content
    assert told(send(service, "trip-requests", sheet))["lines"][0]["errors"][0]["code"] == "conflict"
    service.call("coordinator", "POST", f"/v1/trip-requests/{asked}/cancel")
    (line,) = told(send(service, "trip-requests", sheet))["lines"]
    both = [service.call("coordinator", "GET", f"/v1/trip-requests/{found}").json() for found in (asked, line["id"])]
    told_alike = [{key: item[key] for key in ("origin", "destination", "arrive_by", "return_after", "seats", "needs")} for item in both]
    assert told_alike[0] == told_alike[1]
    assert service.call("coordinator", "GET", "/v1/exports/trip-requests.csv?date=2026-11-25").text.count("\r\n") == 1


def test_a_volunteer_who_was_not_active_is_not_active_elsewhere(service: Service) -> None:
    lon, lat = service.here.point()
    written = told(send(service, "volunteers", f"name,home_lon,home_lat,active\nMarcel,{lon},{lat},no\n"))
    assert service.call("coordinator", "GET", f"/v1/volunteers/{written['lines'][0]['id']}").json()["active"] is False


def test_a_days_offers_go_out_with_who_is_asked_for_whom_and_the_look_is_on_record(service: Service) -> None:
    volunteer, person = service.people[service.here.id]
    request = service.here.ask(person)
    service.here.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    text = service.call("coordinator", "GET", "/v1/exports/offers.csv?date=2026-11-24&lang=en").text
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(line["volunteer"], line["beneficiary"], line["state"], line["direction"]) for line in lines] == [
        ("Canary Morel", "Canary Roussel", "sent", "outbound"),
        ("Canary Morel", "Canary Roussel", "sent", "return"),
    ]
    assert lines[0]["told_pickup_at"] == "2026-11-24T10:00:00+01:00"
    with service.here.store() as store:
        looks = [(row.act, row.kind, row.count) for row in store.accesses(None, 50, None) if row.act == "copied"]
    assert sorted(looks) == [("copied", "beneficiary", 1), ("copied", "volunteer", 1)]
    assert "Canary" not in service.call("coordinator", "GET", "/v1/exports/offers.csv?date=2026-11-24", at=service.there).text
    assert service.call("coordinator", "GET", "/v1/exports/offers.csv").status_code == 422


def test_who_was_erased_is_in_no_sheet(service: Service) -> None:
    person = service.people[service.here.id][1]
    service.here.ask(person)
    service.here.world.advance(timedelta(days=3))
    with service.here.store() as store:
        erase_person(store, store.file_of(person), service.here.world)
    for name in ("beneficiaries", "trip-requests"):
        assert "Roussel" not in service.call("coordinator", "GET", f"/v1/exports/{name}.csv").text


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{}", "application/json", 415, "not_csv"),
        (b"nom\nx\n", "text/csv; charset=windows-1252", 415, "not_csv"),
        (b"nom\nx\n", "text/plain", 415, "not_csv"),
        (b"", "text/csv", 422, "bad_input"),
        (b"x" * (1024 * 1024 + 1), "text/csv", 413, "too_large"),
        (b"canary;x\n1;2\n", "text/csv", 422, "bad_input"),
        ("nom\nLefèvre canary\n".encode("latin-1"), "text/csv", 422, "bad_input"),
        (b"\xff\xfe\x00", "text/csv", 422, "bad_input"),
        (b'nom\n"canary\n', "text/csv", 422, "bad_input"),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(service: Service, name: str, content: bytes, kind: str, status: int, code: str) -> None:
    service.key("coordinator")
    before = dump(service.here.database)
    answer = send(service, name, content, **{"Content-Type": kind})
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:allons:error:{code}"), answer.text
    assert (answer.headers["content-type"], "canary" in answer.text) == ("application/problem+json", False)
    assert dump(service.here.database) == before


def test_csv_is_taken_nowhere_else(service: Service) -> None:
    answer = service.call("coordinator", "POST", "/v1/beneficiaries", content=b"nom\nx\n", headers={"Content-Type": "text/csv"})
    assert answer.json()["type"] == "urn:allons:error:not_json"


def test_more_lines_than_the_setting_allows_are_refused_whole(sqlite: Database, demo_roads: RoadNetwork) -> None:
    service = Service(sqlite, demo_roads, import_lines=2)
    assert told(send(service, "beneficiaries", people(service, "Odette", "Simone")))["good"] == 2
    answer = send(service, "beneficiaries", people(service, "Lucette", "Ginette", "Huguette"))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_many_lines")


def test_sheets_are_counted_per_caller(service: Service) -> None:
    answers = [service.call("coordinator", "GET", "/v1/exports/volunteers.csv").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]
    assert service.call("manager", "GET", "/v1/exports/volunteers.csv").status_code == 200


def test_without_the_savepoint_around_it_a_trial_would_write(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rows, "attempt", lambda _: nullcontext())
    told(send(service, "beneficiaries", people(service, "Odette"), "?dry_run=true"))
    assert count(service) == 2


@pytest.mark.postgis
def test_a_line_that_fails_does_not_take_the_others_with_it_on_postgresql(postgis: Database, demo_roads: RoadNetwork) -> None:
    service = Service(postgis, demo_roads)
    text = people(service, "Odette", "Simone") + "Lucette;06 11 22 33 44;2,9;46,9;\n"
    assert told(send(service, "beneficiaries", text, "?dry_run=true"))["good"] == 2
    assert count(service) == 1
    assert told(send(service, "beneficiaries", text, "?only_good=true"))["outcome"] == "written"
    assert count(service) == 3
    assert service.call("coordinator", "GET", "/v1/exports/beneficiaries.csv").text.count("\r\n") == 4
