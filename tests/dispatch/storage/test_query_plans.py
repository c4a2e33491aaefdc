"""With 10,000 ways and 500 volunteers every query has an index to go by: those of the API, of the planner's turns, of rounds.

PostgreSQL may still read a table as a whole where it wants a good share of it, so it is asked for the way it would take if it could not.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from benchmarks.crowd import Crowd, make_crowd
from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner
from dispatch.model.intake import NewAccount
from dispatch.notices.channels import LogChannel
from dispatch.notices.sender import send_due, sweep
from dispatch.notices.webhooks import deliver_due, new_secret
from dispatch.service.accounts import holder_link, make_account, open_account
from dispatch.service.keys import make_key
from dispatch.settings import Settings
from dispatch.storage.accounts import Accounts
from dispatch.storage.database import Database
from dispatch.storage.log import Event
from dispatch.storage.notice_tables import Notice, WebhookDelivery, WebhookEndpoint
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.world import World
from routing.network import RoadNetwork
from tests.api.operations import TEXT, tds_order, tds_query
from tests.conftest import VAULT

pytestmark = [pytest.mark.postgis, pytest.mark.slow]
LARGE = 1000  # rows; less is read as a whole by right
GOOD_SHARE = 0.025  # of a table's rows: whoever keeps that many may read the others
#: Statements that read a large table as a whole, by a piece of their text, and why they may.
BY_RIGHT = {
    "NOT (EXISTS (SELECT * FROM trip_request": "retention looks at everybody, once an hour",
}


class Plans:
    """Explains every statement of a database right before it is sent, in its own transaction."""

    def __init__(self, database: Database) -> None:
        self.seen: set[str] = set()
        self.whole: dict[str, set[str]] = {}
        with database._engine.connect() as connection:
            query = "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND reltuples > %s"
            self.large: dict[str, float] = {row[0]: row[1] for row in connection.exec_driver_sql(query, (LARGE,))}
            partial = "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indpred IS NOT NULL"
            self._partial = {name for (name,) in connection.exec_driver_sql(partial)}
        sa.event.listen(database._engine, "before_cursor_execute", self._look)

    def _look(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if many or not statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")) or "set_config" in statement:
            return
        self.seen.add(statement)
        with connection.connection.cursor() as own:
            own.execute("SET LOCAL enable_seqscan = off")
            own.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            (found,) = own.fetchone()
            own.execute("SET LOCAL enable_seqscan = on")
        for table in self._whole(json.loads(found) if isinstance(found, str) else found, ""):
            if table in self.large:
                self.whole.setdefault(statement, set()).add(table)

    def _whole(self, node: Any, above: str) -> Iterator[str]:
        """Tables that this part of a plan reads from end to end, or the whole of a territory; but for those whose first rows are enough."""
        if isinstance(node, list):
            for part in node:
                yield from self._whole(part, above)
        if not isinstance(node, dict):
            return
        kind = node.get("Node Type", above)
        if kind.endswith("Scan") and "Relation Name" in node:
            selective = re.search(r"\w+\)? (=|<|>|<=|>=|&&) ", re.sub(r"territory_id =", "", " ".join(self._conditions(node))))
            kept = node["Plan Rows"] / self.large.get(node["Relation Name"], 1)
            if not selective and above != "Limit" and kept < GOOD_SHARE:
                yield node["Relation Name"]
        for part in node.values():
            yield from self._whole(part, kind)

    def _conditions(self, node: Any) -> Iterator[str]:
        yield "partial = " if node.get("Index Name") in self._partial else node.get("Index Cond", "")
        for part in node.get("Plans", []):
            yield from self._conditions(part)


#: What volunteers' operations are sent.
VOLUNTEERING: dict[str, Any] = {
    "add_absence": {"first_day": "2199-01-01"}, "step_engagement": {"to": "suspended"}, "change_weekly_hours": {"hours": []},
    "add_credential": {"kind": "licence"}, "verify_credential": {}, "refuse_credential": {"reason": "other"},
    "change_limits": {"max_rides": 0}, "send_day": {}, "tie_pair": {"preferred": True},
    "change_eligibility": {"kind": "unconditional", "proof": "declared"},
}  # fmt: skip
PICTURES = {"put_credential_file": "%PDF-"}


@pytest.fixture
def crowd(postgis: Database, demo_roads: RoadNetwork) -> Crowd:
    return make_crowd(postgis, demo_roads, VAULT)


def fill_outbox(postgis: Database, crowd: Crowd) -> UUID:
    """Much that was told, and some that waits, to people and to another system; one notice of them."""
    now = World().now()
    with postgis.write() as session:
        store = Store(session, crowd.territory)
        row = {"kind": "run_cancelled", "about": crowd.requests[0], "facts": {"at": f"{now:%Y-%m-%dT%H:%M}:00+00:00"}, "created_at": now}
        row |= {"territory_id": crowd.territory, "not_before": now, "next_try_at": now, "sent_at": now}
        rows = [
            {**row, "id": uuid4(), "person_id": volunteer, "number": number, "state": "sent" if number else "queued"}
            for volunteer in crowd.volunteers
            for number in range(8)
        ]
        session.execute(sa.insert(Notice), rows)
        hook = WebhookEndpoint(id=uuid4(), url="https://hooks.example.org", events=["leg.confirmed"], created_at=now)
        store.add_endpoint(hook, new_secret(World()))
        events = session.execute(sa.select(Event.id, Event.subject_id, Event.seq).where(Event.territory_id == crowd.territory).limit(5000))
        delivery = {"endpoint_id": hook.id, "territory_id": crowd.territory, "next_try_at": now, "sent_at": now}
        told = [{**delivery, "event_id": e.id, "subject_id": e.subject_id, "seq": e.seq, "state": "sent"} for e in events]
        told[0]["state"] = "queued"
        session.execute(sa.insert(WebhookDelivery), told)
    with postgis._engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE notice, webhook_delivery")
    found: UUID = rows[0]["id"]  # type: ignore[assignment]
    return found


def take_turns(postgis: Database, demo_roads: RoadNetwork) -> None:
    """Of the planner and of the senders."""
    planner = Planner(postgis, demo_roads, LocalBus(), Settings(round_seconds=0.5), World())
    planner.turn_and_wait()  # with the round of the day that was asked for
    planner.stop()
    assert send_due(postgis, {"log": LogChannel()}, World(), 20) == 20
    deliver_due(postgis, World(), limit=5)
    sweep(postgis, World())


def example(operation: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    """What the description shows as a body, if there is one."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    model = (content or {}).get("schema", {}).get("$ref")
    return {"json": described["components"]["schemas"][model.rsplit("/", 1)[-1]]["examples"][0]} if model else {}


def test_every_query_has_an_index_to_go_by(postgis: Database, crowd: Crowd, demo_roads: RoadNetwork) -> None:
    from fastapi.testclient import TestClient

    from api.app import create_app
    from api.auth import OPEN
    from api.deps import Parts

    parts = Parts(database=postgis, network=demo_roads, bus=LocalBus(), settings=Settings(planner=False, live_seconds=0.1), world=World())
    app = create_app(parts)
    client = TestClient(app)
    with postgis.write() as session:
        store = Store(session, crowd.territory)
        keys = {
            "manager": make_key(Registry(session), "manager", store, None, World())[1],
            "driver": make_key(Registry(session), "driver", store, crowd.volunteers[0], World())[1],
            "beneficiary": make_key(Registry(session), "beneficiary", store, crowd.people[0], World())[1],
        }
        accounts = Accounts(session)
        ended, opening = make_account(accounts, NewAccount(role="partner", name="Odette", email="odette@example.org"), store, World())
        _, entering = make_account(accounts, NewAccount(role="partner", name="Odile", email="odile@example.org"), store, World())
        open_account(accounts, entering, "un chat dort sur le toit", World())
        _, once = holder_link(accounts, store, "driver", crowd.volunteers[0], 1, World())
    told = fill_outbox(postgis, crowd)
    plans = Plans(postgis)
    assert {"notice", "webhook_delivery", "leg", "trip_request", "assignment", "offer", "event", "run", "availability"} <= set(plans.large)
    ids: dict[str, UUID] = {
        "territory_id": crowd.territory,
        "beneficiary_id": crowd.people[0],
        "volunteer_id": crowd.volunteers[0],
        "request_id": crowd.requests[0],
        "offer_id": crowd.offers[0],
        "round_id": crowd.rounds[0],
        "key_id": crowd.territory,
        "account_id": ended.id,
        **dict.fromkeys(("credential_id", "absence_id", "availability_id", "run_id", "leg_id", "sms_id"), uuid4()),
        **dict.fromkeys(("notice_id", "call_id", "webhook_id"), told),
        **TEXT,
        "series_id": uuid4(),
    }
    day = crowd.first_day
    home = crowd.points[0]
    person = {"name": "Odette", "home": home}
    span = {"starts_at": f"{day}T19:00:00Z", "ends_at": f"{day}T20:00:00Z"}
    wish = {"beneficiary_id": str(crowd.people[0]), "origin": home, "destination": crowd.points[9], "arrive_by": f"{day}T20:00:00Z"}
    bodies: dict[str, Any] = {
        "create_beneficiary": person, "create_volunteer": person, "change_beneficiary": person,
        "change_volunteer": {**person, "active": True},
        **VOLUNTEERING,
        "tap_status": {"id": str(uuid4()), "state": "en_route", "at": span["starts_at"]},
        **dict.fromkeys(("create_trip_request", "try_trip_request"), wish),
        "create_flexible_request": {name: wish[name] for name in ("beneficiary_id", "origin", "destination")},
        "create_series": {**wish, "arrive_by": "20:00", "weekdays": [1, 2], "first_day": str(day)},
        "try_tds_request": tds_query(wish, "21:00"), "create_tds_order": tds_order(wish, "21:00"),
        "add_availability": span, "create_round": {"date": str(day)}, "create_key": {"role": "partner"},
        "search_people": {"text": "Roussel"}, "search_places": {"text": "12 rue de l'Église"}, "name_point": {"point": home},
        "decline_offer": {"reason": "other"}, "call_for_return": {"ready_at": f"{day}T21:30:00Z"},
        "change_territory": {"name": "Pays", "policy": {}, "rules": {}, "timetable": [], "queue": "rounds"},
        "create_account": {"role": "partner", "name": "Odine", "email": "odine@example.org"},
        "create_link": {"role": "driver", "holder_id": str(crowd.volunteers[0])},
        "open_account": {"token": opening, "password": "un chat dort sur le toit"},
        "log_in": {"email": "odile@example.org", "password": "un chat dort sur le toit"},
        "use_link": {"token": once},
    }  # fmt: skip
    way = f"{home[0]},{home[1]},{crowd.points[9][0]},{crowd.points[9][1]}"
    sheets = {
        **PICTURES,
        "import_volunteers": f"name,home_lon,home_lat\nMarcel,{home[0]},{home[1]}\n",
        "import_beneficiaries": f"name,home_lon,home_lat\nOdette,{home[0]},{home[1]}\n",
        "import_trip_requests": "beneficiary,origin_lon,origin_lat,destination_lon,destination_lat,arrive_by\n"
        f"Nobody,{way},{day}T21:00:00Z\n",
    }
    called = 0
    described = app.openapi()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            if name == "create_territory" or not path.startswith("/v1"):
                continue
            for role, key in keys.items():
                sent: dict[str, Any] = {"json": bodies[name]} if name in bodies else example(operation, described)
                if name.startswith("list_") and name in ("list_trip_requests", "list_events"):
                    sent = {"params": {"date": str(day)} if name == "list_trip_requests" else {"subject_id": str(crowd.requests[0])}}
                if name in sheets:
                    sent = {"content": sheets[name]}
                if name in ("export_offers", "export_trip_requests"):
                    sent = {"params": {"date": str(day)}}
                headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"{name}-{role}-12345678", "If-Match": '"v1"'}
                headers |= {"Content-Type": "application/pdf" if name in PICTURES else "text/csv"} if "content" in sent else {}
                answer = client.request(method, path.format(**ids, date=day), headers=headers, **sent)
                fine = (200, 201, 202, 204, 403, 404, 409, 412, *([401] if name in OPEN else []))
                assert answer.status_code in fine, (name, answer.text)
                called += answer.status_code < 300
    assert called > 45
    take_turns(postgis, demo_roads)
    assert len(plans.seen) > 60
    found = {statement: tables for statement, tables in plans.whole.items() if not any(part in statement for part in BY_RIGHT)}
    assert found == {}


def test_a_query_without_its_index_is_found(postgis: Database, crowd: Crowd) -> None:
    def missing() -> set[str]:
        plans = Plans(postgis)
        with postgis.read() as session:
            Store(session, crowd.territory).offers_of([crowd.requests[0]], "accepted")
        return {table for tables in plans.whole.values() for table in tables}

    assert missing() == set()
    with postgis._engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_offer_request_id")
    assert missing() == {"offer"}
