"""Every operation of the API with a call that would be taken, and what every refusal must be. For tests of what is refused."""

import hashlib
import json
import re
from typing import Any
from uuid import uuid4

import httpx2

from api import auth
from dispatch.storage.base import Table
from tests.api.conftest import Service
from tests.api.kinds import CANARY

#: What names one text, and a calendar that nobody has.
TEXT = {"kind": "offer_sent", "language": "fr", "form": "email", "file_name": f"{'0' * 64}.ics"}

PICTURE = b"%PDF-1.7 of a licence"


class Operation:
    """One of the API's, with a body that would be taken."""

    def __init__(self, service: Service, method: str, path: str, described: dict[str, Any], schemas: dict[str, Any]) -> None:
        self.service, self.method, self.path, self.described, self.schemas = service, method.upper(), path, described, schemas
        self.name: str = described["operationId"]
        allowed = auth.ALLOWED.get(self.name, frozenset({"coordinator"}))
        self.role = next(role for role in ("coordinator", "manager", "admin", "driver", "auditor") if role in allowed)

    def call(self, content: bytes | None = None, path: str | None = None, **headers: str) -> httpx2.Response:
        more = {"Content-Type": self.form or "application/json"} if content is not None else {}
        answer = self.service.call(
            self.role, self.method, path or self.filled(), content=content, headers={"If-Match": '"v1"', **more, **headers}
        )
        described = {*self.described["responses"], "405"}  # garbage in a path may lead to another operation's
        assert str(answer.status_code) in described, f"{self.name}: {answer.status_code} is not described"
        return answer

    def filled(self, **changed: str) -> str:
        """The path, with somebody's ids."""
        volunteer, person = self.service.people[self.service.here.id]
        known = {"beneficiary_id": person, "volunteer_id": volunteer, **dict.fromkeys(self.ids, str(uuid4()))}
        known |= {name: value for name, value in TEXT.items() if name in self.ids}
        known |= {"territory_id": self.service.here.id, "date": "2026-11-24"}
        known |= {"series_id": self.service.series_id} if "series_id" in self.ids and "series_id" not in changed else {}
        known |= {name: str(value) for name, value in (("beneficiary_id", person), ("volunteer_id", volunteer)) if name in self.ids}
        return self.path.format(**{**known, **changed})

    @property
    def ids(self) -> list[str]:
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]

    @property
    def form(self) -> str | None:
        """The media type of the body, if there is one."""
        return next(iter(self.described.get("requestBody", {}).get("content", {})), None)

    def sent(self) -> bytes | None:
        """What would be taken, as it is sent."""
        if self.name == "put_credential_file":
            return PICTURE
        return encoded(self.body()) if self.schema else self.sheet().encode() if self.form == "text/csv" else None

    def sheet(self) -> str:
        """A file that would be taken."""
        (lon, lat), wish = self.service.people_home, self.service.wish_of_mine
        if self.name != "import_trip_requests":
            return f"name,home_lon,home_lat\nOdette,{lon},{lat}\n"
        places = ",".join(str(degrees) for end in ("origin", "destination") for degrees in wish[end])
        head = "beneficiary_id,origin_lon,origin_lat,destination_lon,destination_lat,arrive_by"
        return f"{head}\n{wish['beneficiary_id']},{places},{wish['arrive_by']}\n"

    @property
    def model(self) -> str:
        """The name of a body in JSON; empty where there is none."""
        content = self.described.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return ""
        schema = content["schema"]
        named: dict[str, str] = schema.get("anyOf", [schema])[0]  # of a body that may be left out
        return named["$ref"].rsplit("/", 1)[-1]

    @property
    def schema(self) -> dict[str, Any] | None:
        """Of a body in JSON."""
        return self.schemas[self.model] if self.model else None

    def body(self) -> dict[str, Any]:
        """What would be taken."""
        home = list(self.service.people_home)
        volunteer = str(self.service.people[self.service.here.id][0])
        return {
            "create_territory": {"name": f"Pays {uuid4()}"},
            "change_territory": {"name": "Pays", "policy": {}, "rules": {}, "timetable": [], "queue": "rounds"},
            "add_availability": {"starts_at": "2026-12-01T10:00:00Z", "ends_at": "2026-12-01T11:00:00Z"},
            "create_trip_request": self.service.wish_of_mine,
            "try_trip_request": self.service.wish_of_mine,
            "create_flexible_request": {
                name: value for name, value in self.service.wish_of_mine.items() if name in ("beneficiary_id", "origin", "destination")
            },
            **dict.fromkeys(("create_series", "change_series"), self.service.series_of_mine),
            "try_tds_request": tds_query(self.service.wish_of_mine),
            "create_tds_order": tds_order(self.service.wish_of_mine),
            "create_round": {"date": "2026-11-25"},
            "create_key": {"role": "partner"},
            "create_account": {"role": "partner", "name": "Odette", "email": "odette@example.org"},
            "create_link": {"role": "driver", "holder_id": volunteer},
            "decline_offer": {"reason": "other"},
            "search_people": {"text": "Canary"},
            "search_places": {"text": "12 rue de l'Église", "near": home},
            "name_point": {"point": home},
            "step_engagement": {"to": "suspended"},
            "change_limits": {"max_rides_week": 40, "radius_km": 90},
            "change_weekly_hours": {"hours": [{"weekday": 1, "starts": "08:00", "ends": "12:00"}]},
            "add_absence": {"first_day": "2026-12-24"},
            "add_credential": {"kind": "licence", "issued_on": "2019-05-14"},
            "verify_credential": {"expires_on": "2031-05-14"},
            "refuse_credential": {"reason": "unreadable"},
            "change_volunteer": {"name": "Odette", "home": home, "active": True},
            "create_webhook": {"url": "https://hooks.example.org/allons", "events": ["leg.confirmed"]},
            "settle_call": {"outcome": "reached"},
            "write_text": {"subject": "Un trajet", "body": "{prenom} : {lien}"},
            "preview_text": {"subject": "Un trajet", "body": "{prenom} : {lien}"},
            "log_in": {"email": "odette@example.org", "password": "of no use at all"},
            "open_account": {"token": "0" * 64, "password": "of no use at all"},
            "use_link": {"token": "0" * 64},
            "create_beneficiary": {"name": "Odette", "home": home},
            "change_beneficiary": {"name": "Odette", "home": home},
            "change_eligibility": {"kind": "temporary", "valid_until": "2027-01-31", "purposes": ["medical"], "proof": "paper"},
            "create_volunteer": {"name": "Odette", "home": home},
        }.get(self.name, (self.schema or {}).get("examples", [{}])[0])


def tds_query(wish: dict[str, Any], clock: str = "15:40") -> dict[str, Any]:
    """A wish as telegram 1A."""
    return {"telegramType": "TripRequest", **_telegram(wish, clock), "customerInfo": {"customerId": wish["beneficiary_id"]}}


def tds_order(wish: dict[str, Any], clock: str = "15:40") -> dict[str, Any]:
    """A wish as telegram 2A."""
    who = {"customerId": wish["beneficiary_id"], "customerName": "Odette", "fundingEntityId": "03"}
    return {"telegramType": "ClientOrderConfirmation", **_telegram(wish, clock), **who}


def _telegram(wish: dict[str, Any], clock: str) -> dict[str, Any]:
    places = {
        name: {"geographicLocation": {"typeOfCoordinate": "WGS84", "lat": wish[end][1], "long": wish[end][0]}}
        for name, end in (("pickupAddress", "origin"), ("dropoffAddress", "destination"))
    }
    day = wish["arrive_by"][:10]
    return {
        "tripRequestId": "A-17",
        "timestamp": {"time": "2026-11-23T09:00:00Z"},
        "appointmentTime": {"time": f"{day}T{clock}:00Z"},
        **places,
    }


_DESCRIPTION: list[dict[str, Any]] = []  # of whichever service was asked first


def description(service: Service) -> dict[str, Any]:
    """What the API says of itself: the same of every service, and slow to make. Not to be changed."""
    if not _DESCRIPTION:
        _DESCRIPTION.append(service.app.openapi())
    return _DESCRIPTION[0]


def operations(service: Service, told: dict[str, Any] | None = None) -> list[Operation]:
    """All that is described, or that another description tells of."""
    about = told or description(service)
    return [
        Operation(service, method, path, described, about["components"]["schemas"])
        for path, methods in about["paths"].items()
        if path.startswith("/v1")
        for method, described in methods.items()
    ]


def digests(service: Service) -> dict[str, str]:
    """Of every row of every table."""
    found = {}
    with service.here.database._engine.connect() as connection:
        for table in Table.metadata.sorted_tables:
            rows = connection.exec_driver_sql(f'SELECT * FROM "{table.name}"')  # noqa: S608
            found[table.name] = hashlib.sha256("\n".join(sorted(str(tuple(row)) for row in rows)).encode()).hexdigest()
    return found


def complaint(answer: httpx2.Response, statuses: set[int], pointer: str | None = None) -> str | None:
    """What is wrong with a refusal, if anything: its status, its form, what it names, or that it repeats what was sent.

    A field that nobody knows is named as it was sent: that is a pointer, the only place where words of the caller may be.
    """
    if answer.status_code not in statuses:
        return f"{answer.status_code} {answer.text[:200]}"
    if answer.headers["content-type"] != "application/problem+json":
        return "is no problem+json"
    if len(answer.content) >= 2048:
        return f"is {len(answer.content)} bytes long"
    problem = answer.json()
    pointers = [found.pop("pointer") for found in problem.get("errors", [])]
    if CANARY in json.dumps(problem) or CANARY in str(answer.headers):
        return "repeats what was sent"
    if any(CANARY in found for found in pointers) and CANARY not in (pointer or ""):
        return "repeats what was sent as the name of a field"
    if pointer is not None and not any(found.startswith(pointer) or found in ("", "the whole") for found in pointers):
        return f"names {pointers}"
    return None


def encoded(body: Any) -> bytes:
    """JSON, with the numbers of `kinds.raw` as they are."""
    return re.sub(r'"@raw ([^@"]*)@"', r"\1", json.dumps(body)).encode()
