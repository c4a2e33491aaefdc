"""Two territories on one installation: of what belongs to one, not a byte is in what the other is answered, in logs, metrics, or Redis.

Every field of the other territory has a canary of its own: names, phones, needs, places, ids, addresses, keys. Everything is asked for by
every role, with one's own ids and with the other's.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
import sqlalchemy as sa
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from api import auth
from dispatch.metrics import REGISTRY
from dispatch.model.intake import NewAccount
from dispatch.model.roles import ROLES
from dispatch.model.series import NewSeries
from dispatch.model.sms import IncomingSms
from dispatch.model.telling import NewWebhook
from dispatch.model.volunteering import NewAbsence, NewCredential
from dispatch.notices.outbox import queue_notice
from dispatch.service.accounts import make_account
from dispatch.service.availability import add_absence
from dispatch.service.credentials import attach_file, hand_in
from dispatch.service.offers import accept_offer
from dispatch.service.series import begin_series
from dispatch.service.sms import receive_sms
from dispatch.service.trips import Asker
from dispatch.service.webhooks import add_webhook
from dispatch.storage.accounts import Accounts
from dispatch.storage.base import Table
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, Round, Volunteer
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.api.operations import PICTURE, TEXT, operations
from tests.dispatch.territories import DATE, NOW, TestTerritory

pytestmark = [pytest.mark.slow, pytest.mark.redis]
NEED = "belt_exemption"  # nobody has it here
TERRITORIES = {f"{name} as admin" for name in ("list_territories", "get_territory", "change_territory")}  # all of them are an admin's


@pytest.fixture
def both(database: Database, demo_roads: RoadNetwork, redis_url: str) -> Service:
    """A service over Redis, with a day in each territory: asked for, planned, accepted."""
    service = Service(database, demo_roads, redis_url=redis_url, calls_per_minute=1_000_000, longest_wait_seconds=0)
    for place in (service.here, service.there):
        volunteer, person = service.people[place.id]
        request = place.ask(person)
        place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
        offer = place.offer(request)
        with place.store() as store:
            new = NewAccount(role="partner", name=f"Canary {place.id}", email=f"{place.id.hex}@example.org")
            make_account(Accounts(store.session), new, store, place.world)
            accept_offer(store, store.get(Offer, offer.id), place.world)
            hook = NewWebhook(url=f"https://canary-{place.id.hex}.example.org", events=("leg.confirmed",))
            add_webhook(store, hook, place.world)
        for role in ROLES:
            service.key(role, place)
    return service


def marks(service: Service, place: TestTerritory) -> set[str]:
    """What says something of a territory: its names, and the ids and places of all of its rows."""
    found = {"Canary-There", "079988", "079977", NEED, f"{place.id.hex}@example.org", f"Canary {place.id}", str(place.id)}
    found |= {service.key(role, place).split("_")[part] for role in ROLES if role != "admin" for part in (1, 2)}
    with place.store() as store:
        for table in Table.metadata.sorted_tables:
            if "territory_id" not in table.columns or "id" not in table.columns:
                continue
            own = sa.select(table.c.id).where(table.c.territory_id == place.id)
            found |= {str(row_id) for row_id in store.session.scalars(own)}
        for row_id in service.people[place.id]:
            found |= {str(degrees) for degrees in store.file_of(row_id).home}
    return found


def ids_of(place: TestTerritory, service: Service) -> dict[str, UUID]:
    volunteer, person = service.people[place.id]
    with place.store() as store:
        offer = store.offers_to(volunteer)[0]
        rounds = store.page(Round, None, 1)
        accounts = Accounts(store.session)
        account = accounts.account_of(accounts.vault.digest(f"{place.id.hex}@example.org"))
        assert account
    people = {"volunteer_id": volunteer, "beneficiary_id": person}
    known = {**people, "territory_id": place.id, "offer_id": offer.id, "request_id": offer.request_id}
    with place.store() as store:
        told = queue_notice(store, "request_received", person, offer.request_id, place.world, facts={"at": NOW})
        told.state = "to_call"
        (endpoint,) = store.endpoints()
        paper = hand_in(store, store.get(Volunteer, volunteer), NewCredential(kind="licence"), place.world)
        attach_file(store, paper, PICTURE, "application/pdf", place.world)
        absence = add_absence(store, store.get(Volunteer, volunteer), NewAbsence(first_day=date(2027, 1, 1)), place.world)
        span = store.availabilities_of(volunteer)[0]
        (leg, _) = store.legs_of([offer.request_id])[offer.request_id]
        run_id = store.active_assignments([leg.id])[leg.id].run_id
        sms = IncomingSms.model_validate({"from": "+33639980009", "message": "Canary ?", "message_id": uuid4().hex})
        sms_id = receive_sms(store, sms, place.world).id
        ends: dict[str, Any] = {"origin": place.point(), "destination": place.point(), "arrive_by": "16:40"}
        wished = NewSeries(beneficiary_id=person, weekdays=(4,), first_day=NOW.date(), **ends)
        series = begin_series(store, wished, place.network, place.world, Asker(channel="series")).series
    known |= {"credential_id": paper.id, "absence_id": absence.id, "availability_id": span.id}
    known |= {"notice_id": told.id, "call_id": told.id, "webhook_id": endpoint.id}
    known |= {"leg_id": leg.id, "run_id": run_id, "sms_id": sms_id, "series_id": series.id}
    return {**known, **TEXT, "round_id": rounds[0].id, "account_id": account.id, "key_id": uuid4()}


def answers(service: Service, here: dict[str, UUID], there: dict[str, UUID]) -> Iterator[tuple[str, str]]:
    """All that comes back of every operation to every role of here, with ids of here and of there in the path, body, query and cursor."""
    for operation in operations(service):
        if operation.name in auth.OPEN or operation.method == "DELETE":
            continue
        body: dict[str, Any] | None = operation.body() if operation.schema else None
        foreign = {
            name: str(there[name if name != "holder_id" else "volunteer_id"]) for name in body or {} if name in {*there, "holder_id"}
        }
        cursors = [f"?after={row_id}" for row_id in there.values()] if operation.name.startswith("list_") else []
        subjects = [f"?subject_id={row_id}" for row_id in there.values()] if operation.name in ("list_events", "list_accesses") else []
        requests = [f"?request_id={there['request_id']}"] if operation.name == "list_offers" else []
        requests += ["?date=2026-11-24"] if operation.name == "export_offers" else []
        picture = [{"content": PICTURE}] if operation.name == "put_credential_file" else []
        sheets = [operation.sheet(), operation.sheet().replace(str(here["beneficiary_id"]), str(there["beneficiary_id"]))]
        for role in ROLES:
            for ids in (here, there):
                path = operation.path.format(**ids, date=DATE)
                for query in ("", *cursors, *subjects, *requests):
                    for sent in (
                        [{"json": {**body, **changed}} for changed in ({}, foreign)]
                        if body
                        else [{"content": sheet} for sheet in sheets if operation.form == "text/csv"] or picture or [{}]
                    ):
                        headers = {"If-Match": '"v1"', **({"Content-Type": operation.form} if operation.form else {})}
                        answer = service.call(role, operation.method, path + query, headers=headers, **sent)
                        assert answer.status_code < 500, answer.text
                        yield f"{operation.name} as {role}", answer.text + json.dumps(dict(answer.headers))


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)], indirect=True)
def test_nothing_of_the_other_territory_is_in_any_answer_log_metric_or_cache(both: Service, redis_url: str) -> None:
    here, there = ids_of(both.here, both), ids_of(both.there, both)
    theirs, found, tried = marks(both, both.there), set(), 0
    assert len(theirs) > 50
    with capture_logs() as lines:
        for what, text in answers(both, here, there):
            tried += 1
            if what not in TERRITORIES:
                known = {NEED} if what.startswith("list_needs ") else set()  # the catalogue is everybody's
                found |= {f"{what}: {mark}" for mark in theirs - known if mark in text}
    assert found == set()
    assert tried > 500
    names = {"Canary", "079988", "079977", NEED, "0655667788", "0611223344", "@example.org"}
    logged = "\n".join(str(line) for line in lines)
    assert len(lines) >= tried
    assert [mark for mark in theirs | names if mark in logged] == []
    measured = generate_latest(REGISTRY).decode()
    assert "allons_http_requests" in measured
    assert [mark for mark in theirs | names if mark in measured] == []
    kept = "\n".join(everything_in(redis_url))
    assert "allons:limits" in kept
    assert [mark for mark in names if mark in kept] == []


def everything_in(redis_url: str) -> Iterator[str]:
    """Keys and values of a Redis, as text."""
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter("*"):
            yield f"{key!r} {client.dump(key)!r}"


def test_a_byte_of_the_other_territory_would_be_found(both: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = marks(both, both.there)
    enter = Store.__init__
    monkeypatch.setattr(Store, "__init__", lambda self, session, _territory, *rest: enter(self, session, both.there.id, *rest))
    text = both.call("coordinator", "GET", "/v1/beneficiaries").text
    assert {"Canary-There", NEED, "079977"} <= {mark for mark in theirs if mark in text}
