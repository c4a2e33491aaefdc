"""docs/authorization.md is complete, and true cell by cell: every operation, by every role, with something of one's own and of others."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx2
import pytest

from api import auth
from dispatch.model.driving import NewTap
from dispatch.model.intake import NewAccount
from dispatch.model.roles import REFERRERS, ROLES, SCOPES, Role, Scope
from dispatch.model.series import NewSeries, SeriesDays
from dispatch.model.sms import IncomingSms
from dispatch.model.telling import NewWebhook
from dispatch.model.volunteering import NewCredential, NewTie
from dispatch.notices.outbox import queue_notice
from dispatch.service.accounts import end_account, make_account
from dispatch.service.credentials import attach_file, hand_in
from dispatch.service.keys import make_key
from dispatch.service.offers import accept_offer, take_back_offer
from dispatch.service.people import refuse_pair, tie_pair
from dispatch.service.privacy import erase_person
from dispatch.service.series import begin_series
from dispatch.service.series_dates import skip_days
from dispatch.service.sms import receive_sms
from dispatch.service.status import note_tap
from dispatch.service.trips import Asker
from dispatch.service.webhooks import add_webhook
from dispatch.storage.accounts import Accounts
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import ApiKey, Assignment, Availability, Leg, Offer, Round, Volunteer
from dispatch.storage.volunteer_tables import Absence
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.api.operations import PICTURE, TEXT, description, tds_order, tds_query
from tests.dispatch.territories import NOW, TestTerritory, at

PAGE = Path(__file__).parents[2] / "docs" / "authorization.md"
Whose = Literal["own", "same", "other", "deleted", "absent"]
HIDDEN: tuple[Whose, ...] = ("other", "deleted", "absent")
FINE = (200, 201, 202, 204)


def _table() -> dict[str, dict[str, str]]:
    """Operation -> column -> cell."""
    rows = [
        [cell.strip(" `") for cell in line.strip().strip("|").split("|")] for line in PAGE.read_text().splitlines() if line.startswith("|")
    ]
    head, _, *cells = rows
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in cells}


def table() -> dict[str, dict[str, str]]:
    """Operation -> role -> yes, own or no."""
    return {operation: {role: cells[role] for role in cells if role != "scopes"} for operation, cells in _table().items()}


def scopes() -> dict[str, str]:
    """Operation -> its last cell."""
    return {operation: cells["scopes"].replace("`", "") for operation, cells in _table().items()}


def operations(service: Service) -> dict[str, tuple[str, str]]:
    """Name -> method and path, as the API describes itself."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in description(service)["paths"].items()
        if path.startswith("/v1")
        for method, operation in methods.items()
        if operation["operationId"] not in auth.OPEN
    }


class Things:
    """Makes what operations are tried with; each call gets new ones."""

    def __init__(self, service: Service, role: str) -> None:
        self.service, self.role, self.operation = service, role, ""
        self.of_series = uuid4()  # the person whose series was made last

    def path(self, path: str, whose: Whose) -> str:
        """With ids of somebody's."""
        made: dict[str, object] = {}
        for name, make in self._makers().items():
            if "{" + name + "}" in path:
                made[name] = uuid4() if whose == "absent" else make(whose)
                path = path.replace("{" + name + "}", str(made[name]))
        self._prepare(whose, made)
        if "absence_id" in path or "availability_id" in path:
            path = path.format(**dict.fromkeys(("absence_id", "availability_id"), self._hours(whose, made)))
        return path

    def _prepare(self, whose: Whose, made: dict[str, Any]) -> None:
        """What is to be there before it can be taken away."""
        if self.operation in ("allow_pair", "untie_pair") and whose in ("own", "same"):
            with self.place(whose).store() as store:
                if self.operation == "allow_pair":
                    refuse_pair(store, made["volunteer_id"], made["beneficiary_id"])
                else:
                    tie_pair(store, made["volunteer_id"], made["beneficiary_id"], NewTie(known=True))

    def _hours(self, whose: Whose, made: dict[str, Any]) -> UUID:
        """An absence or a span of the volunteer that was made."""
        if whose in ("absent", "deleted"):
            return uuid4()
        hours = {"starts_at": at("20:00"), "ends_at": at("21:00"), "created_at": NOW}
        row = (Absence if self.operation == "remove_absence" else Availability)(id=uuid4(), volunteer_id=made["volunteer_id"], **hours)
        with self.place(whose).store() as store:
            store.add(row)
        return row.id

    def _makers(self) -> dict[str, Callable[[Whose], object]]:
        return {
            "territory_id": lambda whose: self.place(whose).id,
            "beneficiary_id": self.person,
            "volunteer_id": self.volunteer,
            "request_id": self.request,
            "series_id": self.series,
            "offer_id": self.offer,
            "round_id": self.round,
            "run_id": self.run,
            "leg_id": self.leg,
            "date": self.day,
            "key_id": self.key,
            "account_id": self.account,
            "credential_id": self.credential,
            "notice_id": self.notice,
            "call_id": self.notice,
            "webhook_id": self.webhook,
            "sms_id": self.sms,
            **{name: lambda whose, known=known: known if whose in ("own", "same") else uuid4() for name, known in TEXT.items()},
        }

    def place(self, whose: Whose) -> TestTerritory:
        return self.service.there if whose == "other" else self.service.here

    def person(self, whose: Whose) -> UUID:
        if whose == "own" and self.role == "beneficiary":
            return self.service.people[self.service.here.id][1]
        place = self.place(whose)
        found, key = place.person("Canary Same" if whose == "same" else "Canary Person"), self.key_id()
        with place.store() as store:
            if whose == "own" and self.role in REFERRERS:
                store.file_of(found).entered_by = key  # type: ignore[union-attr]
            if whose == "deleted":
                erase_person(store, store.file_of(found), place.world)
        return found

    def volunteer(self, whose: Whose) -> UUID:
        if whose == "own" and self.role == "driver":
            return self.service.people[self.service.here.id][0]
        place = self.place(whose)
        found = place.volunteer("Canary Volunteer", span=None)
        if whose == "deleted":
            with place.store() as store:
                erase_person(store, store.file_of(found), place.world)
        return found

    def request(self, whose: Whose) -> UUID:
        place = self.place(whose)
        person = self.person(whose if whose == "own" else "other" if whose == "other" else "same")
        wish: dict[str, Any] = {"arrive": self._moment(), "back": "21:59", "override": True}
        if self.operation == "call_for_return":
            wish |= {"back": None, "return_open": True}
        if self.operation in ("accept_trip_request", "refuse_trip_request"):
            with place.store() as store:
                store.territory().rules = {"booking": {"accept_at_once": False}}
            wish |= {"asker": Asker(staff=False, channel="web"), "override": False}
        found = place.ask(person, **wish)
        if whose == "own" and self.role in REFERRERS:
            key = self.key_id()
            with place.store() as store:
                store.requests([found])[found].entered_by = key
        return found

    def offer(self, whose: Whose) -> UUID:
        place, volunteer = self.place(whose), self.volunteer(whose)
        with place.store() as store:
            for offer in store.offers_to(volunteer):  # one of several runs at the same hours would be dropped
                if offer.state in ("sent", "accepted"):
                    take_back_offer(store, offer, place.world)
            for run in store.runs_of(volunteer):
                if run.state == "started":
                    store.move(run, "finished", place.world)
        request = place.ask(arrive=self._moment(), back="21:59")
        place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
        return place.offer(request).id

    def day(self, whose: Whose) -> str:
        if self.operation == "export_plan":
            self.round("same")
        return "2026-11-24"

    def run(self, whose: Whose) -> UUID:
        ride = self._ride(whose)
        if self.operation == "tell_position" and whose != "absent":  # of a run that goes on
            place = self.place(whose)
            with self.later(self.operation), place.store() as store:
                tap = NewTap(id=uuid4(), state="en_route", at=place.world.now())
                note_tap(store, store.get(Leg, ride.leg_id), tap, place.world, staff=True)
        return ride.run_id

    def leg(self, whose: Whose) -> UUID:
        if self.operation in ("show_candidates", "entrust_leg"):  # of a way that waits for somebody
            place = self.place(whose)
            return place.trip(place.ask(arrive="14:00", back=None)).legs[0].leg.id  # however far it is, whoever is free from 8:00 can
        return self._ride(whose).leg_id

    def _ride(self, whose: Whose) -> Assignment:
        """Something that a volunteer has agreed to drive."""
        place, offer_id = self.place(whose), self.offer("own" if whose == "own" else "other" if whose == "other" else "same")
        with place.store() as store:
            offer = accept_offer(store, store.get(Offer, offer_id), place.world)
            legs = [leg.id for leg in store.legs_of([offer.request_id])[offer.request_id]]
            return store.active_assignments(legs)[legs[0]]

    def round(self, whose: Whose) -> UUID:
        self.offer(whose)
        with self.place(whose).store() as store:
            return store.page(Round, None, 1)[0].id

    def key(self, whose: Whose) -> UUID:
        place = self.place(whose)
        with place.store() as store:
            return make_key(Registry(store.session), "partner", store, None, place.world)[0].id

    def credential(self, whose: Whose) -> UUID:
        place, volunteer = self.place(whose), self.volunteer("own" if whose == "own" else "other" if whose == "other" else "same")
        with place.store() as store:
            file = store.get(Volunteer, volunteer)
            row = hand_in(store, file, NewCredential(kind="licence"), place.world)
            attach_file(store, row, PICTURE, "application/pdf", place.world)
            if whose == "deleted":
                erase_person(store, file, place.world)
        return row.id

    def account(self, whose: Whose) -> UUID:
        place = self.place(whose)
        with place.store() as store:
            new = NewAccount(role="coordinator", name="Canary Account", email=f"{uuid4().hex}@example.org")
            accounts = Accounts(store.session)
            made = make_account(accounts, new, store, place.world)[0]
            if whose == "deleted":
                end_account(accounts, store, made, place.world)
            return made.id

    def notice(self, whose: Whose) -> UUID:
        """To be told by a call."""
        place, person = self.place(whose), self.person("other" if whose == "other" else "same")
        with place.store() as store:
            row = queue_notice(store, "request_received", person, uuid4(), place.world, facts={"at": NOW})
            row.state = "to_call"
        return row.id

    def sms(self, whose: Whose) -> UUID:
        """That somebody has to read."""
        place = self.place(whose)
        with place.store() as store:
            sms = IncomingSms.model_validate({"from": "+33639980009", "message": "Canary ?", "message_id": uuid4().hex})
            return receive_sms(store, sms, place.world).id

    def series(self, whose: Whose) -> UUID:
        """Of every Thursday."""
        place, person = self.place(whose), self.person("same" if whose == "deleted" else whose)
        asker, self.of_series = Asker(channel="series"), person
        if whose == "own" and self.role in REFERRERS:
            asker = Asker(actor_id=self.key_id(), channel="series")
        ends: dict[str, Any] = {"origin": place.point(), "destination": place.point(), "arrive_by": "10:40"}
        new = NewSeries(beneficiary_id=person, weekdays=(4,), first_day=NOW.date(), **ends)
        with place.store() as store:
            row = begin_series(store, new, place.network, place.world, asker).series
            if self.operation == "resume_series_days":
                skip_days(store, row, SeriesDays(first_day=dt.date(2026, 11, 26)), place.world)
            return row.id

    def webhook(self, whose: Whose) -> UUID:
        place = self.place(whose)
        with place.store() as store:
            made = add_webhook(store, NewWebhook(url="https://canary.example.org", events=("leg.confirmed",)), place.world)[0].id
            if whose == "deleted":
                store.remove_endpoint(made)
        return made

    def key_id(self) -> UUID:
        """Of the caller's key."""
        prefix = self.service.key(self.role).split("_")[1]
        with self.service.here.database.read() as session:  # an admin's is in no territory
            found: ApiKey | None = Registry(session).key(prefix)
            assert found
            return found.id

    def body(self, operation: str, whose: Whose) -> dict[str, Any] | None:
        """What is sent, and would be taken."""
        home = list(self.service.here.point())
        person = {"name": "Odette", "home": home}
        return {
            "create_territory": lambda: {"name": f"Pays {uuid4()}"},
            "change_territory": lambda: {"name": f"Pays {uuid4()}", "policy": {}, "rules": {}, "timetable": [], "queue": "rounds"},
            "create_beneficiary": lambda: person,
            "change_beneficiary": lambda: person,
            "change_eligibility": lambda: {"kind": "unconditional", "proof": "declared"},
            "create_volunteer": lambda: person,
            "change_volunteer": lambda: {**person, "active": True},
            "add_availability": lambda: {"starts_at": f"2026-12-01T{(clock := self._moment())}:00Z", "ends_at": f"2026-12-01T{clock}:30Z"},
            **dict.fromkeys(
                ("create_trip_request", "try_trip_request"),
                lambda: self.service.wish(
                    beneficiary_id=str(uuid4() if whose == "absent" else self.person(whose)),
                    arrive_by=f"2026-11-25T{(clock := self._moment())}:00Z",
                    return_after=f"2026-11-25T{clock}:00Z",
                ),
            ),
            **{
                name: lambda make=make: make(
                    self.service.wish(beneficiary_id=str(uuid4() if whose == "absent" else self.person(whose)), arrive_by="2026-11-25T"),
                    self._moment(),
                )
                for name, make in (("try_tds_request", tds_query), ("create_tds_order", tds_order))
            },
            "create_flexible_request": lambda: {
                "beneficiary_id": str(uuid4() if whose == "absent" else self.person(whose)),
                "origin": home,
                "destination": list(self.service.here.point()),
            },
            "tell_position": lambda: {"point": home, "accuracy_m": 10, "at": "2026-11-24T08:25:00Z"},
            **dict.fromkeys(
                ("create_series", "change_series"),
                lambda: {
                    **self.service.series_of_mine,
                    "beneficiary_id": str(
                        self.of_series if operation == "change_series" else uuid4() if whose == "absent" else self.person(whose)
                    ),
                },
            ),
            "end_series_after": lambda: {"last_day": "2026-11-30"},
            **dict.fromkeys(("skip_series_days", "resume_series_days"), lambda: {"first_day": "2026-11-26"}),
            "move_series_day": lambda: {"day": "2026-11-26", "to_day": "2026-12-30", "arrive_by": self._moment()},
            "tap_status": lambda: {"id": str(uuid4()), "state": "en_route", "at": "2026-11-24T08:00:00Z"},
            "step_engagement": lambda: {"to": "suspended"},
            "tie_pair": lambda: {"preferred": True},
            "change_limits": lambda: {"max_rides_week": 4},
            "change_weekly_hours": lambda: {"hours": [{"weekday": 1, "starts": "08:00", "ends": "12:00"}]},
            "add_absence": lambda: {"first_day": "2026-12-24"},
            "add_credential": lambda: {"kind": "licence"},
            "verify_credential": lambda: {"expires_on": "2031-05-14"},
            "refuse_credential": lambda: {"reason": "unreadable"},
            "refuse_trip_request": lambda: {"code": "other"},
            "call_for_return": lambda: {"ready_at": "2026-11-24T20:00:00Z"},
            "create_round": lambda: {"date": "2026-11-25"},
            "send_day": dict,
            "create_key": lambda: {"role": "partner"},
            "create_account": lambda: {"role": "coordinator", "name": "Odette", "email": f"{uuid4().hex}@example.org"},
            "create_link": lambda: {"role": "driver", "holder_id": str(uuid4() if whose == "absent" else self.volunteer(whose))},
            "decline_offer": lambda: {"reason": "other"},
            "search_people": lambda: {"text": "Canary"},
            "answer_question": lambda: {"accept": [], "reason": "other"},
            "search_places": lambda: {"text": "12 rue de l'Église"},
            "name_point": lambda: {"point": person["home"]},
            "create_webhook": lambda: {"url": "https://hooks.example.org/allons", "events": ["leg.confirmed"]},
            "entrust_leg": lambda: {"volunteer_id": str(self.service.here.volunteer("Canary Volunteer"))},
            "settle_call": lambda: {"outcome": "reached"},
            "receive_sms": lambda: {"from": "06 39 98 00 09", "message": "?", "message_id": uuid4().hex},
            **dict.fromkeys(("write_text", "preview_text"), lambda: {"subject": "Un trajet", "body": "{prenom} : {lien}"}),
        }.get(operation, lambda: None)()

    def tag(self, operation: str) -> str:
        """The version that a change is based on: of new things the first, but territories stay, and so does a volunteer's own file."""
        version = 1
        with self.service.here.store() as store:
            if operation == "change_territory":
                version = store.territory().version
            elif self.role == "driver":
                version = store.get(Volunteer, self.service.people[self.service.here.id][0]).version
        return f'"v{version}"'

    def sheet(self, operation: str) -> str | None:
        """A file that would be taken."""
        (lon, lat), (there, north) = self.service.here.point(), self.service.here.point()
        person, way = f"name,home_lon,home_lat\nOdette {uuid4()},{lon},{lat}\n", f"{lon},{lat},{there},{north}"
        asked = self.service.people[self.service.here.id][1]
        return {
            "import_volunteers": person,
            "import_beneficiaries": person,
            "import_trip_requests": "beneficiary_id,origin_lon,origin_lat,destination_lon,destination_lat,arrive_by\n"
            f"{asked},{way},2026-11-26T{self._moment()}:00Z\n",
        }.get(operation)

    @contextmanager
    def later(self, operation: str) -> Iterator[None]:
        """Shortly before the ride, for what is said on the way to it."""
        step = dt.timedelta(hours=24.5) if operation in ("tap_status", "tell_position") else dt.timedelta()
        self.service.here.world.advance(step)
        yield
        self.service.here.world.advance(-step)

    def _moment(self) -> str:
        """Another minute each time."""
        self.minute = getattr(self, "minute", 0) + 1
        return f"{9 + self.minute // 60:02}:{self.minute % 60:02}"


def can_end(path: str) -> bool:
    """Whether what an operation is about may be gone for good; others stay to be seen, in another state."""
    stay = ("territories", "trip-requests", "series", "offers", "rounds", "keys", "runs", "legs", "notices", "calls", "sms")
    return path.split("/")[2] not in stay


def wrong_cells(service: Service, role: str, only: str = "") -> Iterator[str]:
    """Every cell of a role that is not as the page says, with what was answered; `only`: of those that say so."""
    things, expected = Things(service, role), table()
    for operation, (method, path) in operations(service).items():
        cell, things.operation = expected[operation][role], operation
        if only not in ("", cell):
            continue

        def call(whose: Whose) -> httpx2.Response:
            about = things.path(path, whose)  # noqa: B023
            headers = {"If-Match": things.tag(operation)} if operation.startswith(("change_", "erase_", "withdraw_")) else {}  # noqa: B023
            sent: dict[str, Any] = {"json": body} if (body := things.body(operation, whose)) is not None else {}  # noqa: B023
            if sheet := things.sheet(operation):  # noqa: B023
                sent, headers = {"content": sheet}, {**headers, "Content-Type": "text/csv"}
            if operation == "put_credential_file":  # noqa: B023
                sent, headers = {"content": PICTURE}, {"Content-Type": "application/pdf"}
            query = {"params": {"date": "2026-11-24"}} if operation == "export_offers" else {}  # noqa: B023
            sent |= query
            with things.later(operation):  # noqa: B023
                return service.call(role, method, about, headers=headers, **sent)  # noqa: B023

        if cell == "no":
            answers = {whose: call(whose) for whose in ("same", "absent")}
            yield from (f"{operation}, {whose}: {answer.status_code}" for whose, answer in answers.items() if answer.status_code != 403)
            continue
        shown: list[Whose] = ["own", "same"] if cell == "yes" else ["own"]
        for whose in shown:
            if (answer := call(whose)).status_code not in FINE:
                yield f"{operation}, {whose}: {answer.status_code} {answer.text}"
        everywhere = role == "admin" and "{territory_id}" in path
        hidden: list[Whose] = ["absent"] if everywhere else [*HIDDEN] if cell == "yes" else ["same", *HIDDEN]
        named = "_id}" in path or operation == "create_link"
        asks = (
            "create_trip_request", "try_trip_request", "create_flexible_request", "create_series", "try_tds_request", "create_tds_order",
        )  # fmt: skip
        if named or operation in asks:
            status = 404 if named else 422
            answers = {whose: call(whose) for whose in hidden if whose != "deleted" or can_end(path)}
            for whose, answer in answers.items():
                if answer.status_code != status or {**answer.json(), "instance": ""} != {**answers["absent"].json(), "instance": ""}:
                    yield f"{operation}, {whose}: {answer.status_code} {answer.text}"
        elif method == "GET":
            text = call("own").text
            if (role != "admin" and "Canary-There" in text) or (cell == "own" and ("Canary Same" in text or "Canary Volunteer" in text)):
                yield f"{operation} lists what is not one's own"


def test_the_page_has_every_operation_and_every_role(service: Service) -> None:
    page = table()
    assert set(page) == set(operations(service)) == set(auth.ALLOWED)
    assert all(f"`{operation}`" in PAGE.read_text() for operation in auth.OPEN)
    for operation, cells in page.items():
        assert list(cells) == list(ROLES)
        assert set(cells.values()) <= {"yes", "own", "no"}
        assert {role for role, cell in cells.items() if cell != "no"} == auth.ALLOWED[operation], operation


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_is_true(service: Service, role: str) -> None:
    assert list(wrong_cells(service, role)) == []


@pytest.mark.slow
@pytest.mark.postgis
@pytest.mark.parametrize("role", ROLES)
def test_every_cell_is_true_on_postgresql(postgis: Database, demo_roads: RoadNetwork, role: str) -> None:
    assert list(wrong_cells(Service(postgis, demo_roads), role)) == []


def test_a_row_with_one_role_too_many_is_found(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = ["list_volunteers", "get_round", "create_key"]
    monkeypatch.setattr(auth, "ALLOWED", {**auth.ALLOWED, **{name: auth.ALLOWED[name] | {"auditor"} for name in wrong}})
    assert Counter(cell.split(",")[0] for cell in wrong_cells(service, "auditor", "no")) == dict.fromkeys(wrong, 2)


@pytest.mark.parametrize(("role", "at_least"), [("beneficiary", 4), ("driver", 6), ("prescriber", 5)])
def test_without_the_look_at_whose_it_is_the_table_fails(
    service: Service, role: str, at_least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_seen", lambda row, _: row)
    assert len({cell.split(",")[0] for cell in wrong_cells(service, role, "own")}) >= at_least


def test_a_key_of_one_territory_is_not_revoked_by_another(service: Service) -> None:
    with service.there.store() as store:
        key, _ = make_key(Registry(store.session), "partner", store, None, service.there.world)
    assert service.call("manager", "DELETE", f"/v1/keys/{key.id}").status_code == 404
    with service.there.database.read() as session:
        assert Registry(session).key(key.prefix).revoked_at is None  # type: ignore[union-attr]
    assert service.call("manager", "DELETE", f"/v1/keys/{key.id}", at=service.there).status_code == 204
    with service.there.database.read() as session:
        Store(session, service.there.id)
        assert Registry(session).key(key.prefix).revoked_at is not None  # type: ignore[union-attr]


def test_the_text_of_a_key_is_shown_once_and_kept_nowhere(service: Service) -> None:
    once = {"Idempotency-Key": "make-a-key-1"}
    made = service.call("manager", "POST", "/v1/keys", json={"role": "coordinator", "days": 30}, headers=once).json()
    again = service.call("manager", "POST", "/v1/keys", json={"role": "coordinator", "days": 30}, headers=once).json()
    assert again == {**made, "text": None}
    answer = service.client.get("/v1/volunteers", headers={"Authorization": f"Bearer {made['text']}"})
    assert answer.status_code == 200
    assert service.call("manager", "DELETE", f"/v1/keys/{made['id']}").status_code == 204
    assert service.client.get("/v1/volunteers", headers={"Authorization": f"Bearer {made['text']}"}).status_code == 401
    assert made["text"].split("_")[2] not in service.call("manager", "GET", "/v1/keys").text


def test_the_page_says_which_scopes_an_operation_needs() -> None:
    told = {"any": frozenset[str](), "—": None}
    page = {operation: told[cell] if cell in told else frozenset(cell.split()) for operation, cell in scopes().items()}
    assert page == {operation: auth.SCOPED.get(operation) for operation in auth.ALLOWED}
    assert set(SCOPES) == {scope for needed in auth.SCOPED.values() for scope in needed}


@pytest.mark.parametrize("role", ["manager", "auditor"])
def test_a_limited_key_does_what_its_scopes_say_and_nothing_else(service: Service, role: Role) -> None:
    things = Things(service, role)

    def answers(scope: tuple[Scope, ...] | None) -> dict[str, int]:
        with service.here.store() as store:
            text = make_key(Registry(store.session), role, store, None, service.here.world, scopes=scope)[1]
        headers = {"Authorization": f"Bearer {text}"}
        return {
            operation: service.client.request(method, things.path(path, "absent"), headers=headers).status_code
            for operation, (method, path) in operations(service).items()
        }

    whole = answers(None)
    for scope in SCOPES if role == "manager" else ():  # who may do the most; of the other: no scope gives what the role has not
        limited = answers((scope,))
        for operation, status in limited.items():
            needed = auth.SCOPED.get(operation)
            allowed = needed is not None and needed <= {scope}
            assert status == (whole[operation] if allowed else 403), (scope, operation)
    assert answers(SCOPES) == {operation: status if operation in auth.SCOPED else 403 for operation, status in whole.items()}


def test_scopes_are_chosen_when_a_key_is_made_and_cannot_be_widened_with_it(service: Service) -> None:
    made = service.call("manager", "POST", "/v1/keys", json={"role": "manager", "scopes": ["people:read"]}).json()
    headers = {"Authorization": f"Bearer {made['text']}", "Idempotency-Key": "another-key-1"}
    assert made["scopes"] == ["people:read"]
    assert service.client.get("/v1/volunteers", headers=headers).status_code == 200
    answer = service.client.post("/v1/rounds", json={"date": "2026-11-25"}, headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (403, "This key is not good for rounds:write.")
    assert service.client.post("/v1/keys", json={"role": "manager"}, headers=headers).status_code == 403
    for wrong in ([], ["people"], ["people:read; x"], "people:read"):
        assert service.call("manager", "POST", "/v1/keys", json={"role": "manager", "scopes": wrong}).status_code == 422


def test_without_the_look_at_scopes_a_limited_key_would_do_all(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    made = service.call("manager", "POST", "/v1/keys", json={"role": "manager", "scopes": ["people:read"]}).json()
    headers = {"Authorization": f"Bearer {made['text']}"}
    assert service.client.get("/v1/rounds", headers=headers).status_code == 403
    monkeypatch.setattr(auth, "_check_scopes", lambda *_: None)
    assert service.client.get("/v1/rounds", headers=headers).status_code == 200
