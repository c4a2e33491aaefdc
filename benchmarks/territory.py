"""What those who coordinate wait for in a territory with 10,000 ways: pages and lists, made by the service in this process.

500 volunteers, 1,000 people, 1,000 ways a day for ten days in PostgreSQL (`benchmarks.crowd`); of every 50th way nobody was found.
Expected: the day grows with its own ways and volunteers, all else with what it shows, and the number of queries with nothing.
No network, no browser, one call after the other: milliseconds from the request to the whole answer, and SQL statements.

    python -m benchmarks.territory           # the table of benchmarks/README.md; needs PostgreSQL and the packages of the tests
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import create_app
from api.auth import COOKIE
from api.deps import Parts
from benchmarks.crowd import Crowd, make_crowd
from dispatch.engine.bus import LocalBus
from dispatch.logs import configure_logs
from dispatch.model.intake import NewAccount
from dispatch.service.accounts import log_in_by_address, make_account
from dispatch.settings import Settings
from dispatch.storage.accounts import Accounts
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, TripRequest
from dispatch.storage.vault import Vault
from dispatch.world import World
from routing.demo import make_demo_extract
from routing.network import build_network
from routing.osm import load_extract
from tests.servers import postgis

TIMES = 9
_WHO = "claire@example.org"


def main() -> None:
    """Print the table."""
    configure_logs(quiet=True)
    with tempfile.TemporaryDirectory(prefix="allons-") as folder, postgis() as server:
        with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE territory")
        extract, vault = Path(folder) / "demo.osm.pbf", Vault(bytes(32))
        make_demo_extract(extract)
        network = build_network(load_extract(extract))
        with Database(f"{server}/territory", vault) as database:
            database.migrate()
            crowd = make_crowd(database, network, vault)
            leg = leave_some_without(database, crowd)
            settings = Settings(planner=False, sender=False, calls_per_minute=1_000_000)
            parts = Parts(database=database, network=network, bus=LocalBus(), settings=settings, world=World())
            with TestClient(create_app(parts), base_url="https://testserver") as client:
                client.cookies.set(COOKIE, log_in(database, crowd))
                day = f"/day/{crowd.first_day}"
                of_leg = f"{day}/pieces?changed=leg:{leg}", f"/v1/legs/{leg}/candidates"
                for path in (day, *of_leg, "/v1/attention", "/people", "/volunteers", "/journal"):
                    took, statements, size = measure(database, partial(fetch, client, path))
                    shown = path.replace(str(crowd.first_day), "DATE").replace(str(leg), "ID")
                    print(f"| {shown} | {statistics.median(took):.0f} | {max(took):.0f} | {statements} | {size / 1024:.0f} |")


def leave_some_without(database: Database, crowd: Crowd) -> UUID:
    """Ways that a round found nobody for wait; the id of one that somebody is asked about."""
    with database._engine.begin() as connection:  # noqa: SLF001 # as the owner, past the triggers, as the crowd was made
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE leg SET state = 'standby' WHERE id IN (SELECT leg_id FROM unserved_leg)")
        connection.exec_driver_sql("UPDATE assignment SET active = false WHERE leg_id IN (SELECT leg_id FROM unserved_leg)")
        of_day = sa.select(Leg.id).join(TripRequest, TripRequest.id == Leg.request_id)
        of_day = of_day.where(TripRequest.service_date == crowd.first_day, Leg.state == "offered").limit(1)
        return connection.execute(of_day).scalar_one()


def log_in(database: Database, crowd: Crowd) -> str:
    """A coordinator's login."""
    with database.write() as session:
        accounts, new = Accounts(session), NewAccount(role="coordinator", name="Claire Dubois", email=_WHO)
        make_account(accounts, new, Store(session, crowd.territory), World())
        return log_in_by_address(accounts, _WHO, World())[1]


def fetch(client: TestClient, path: str) -> bytes:
    """The whole answer; an error when it is none."""
    answer = client.get(path)
    answer.raise_for_status()
    return answer.content


def measure(database: Database, ask: Callable[[], bytes]) -> tuple[list[float], int, int]:
    """Milliseconds of some calls, statements and bytes of the last."""
    ask()  # compiled, and in the caches of the database
    took: list[float] = []
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    sa.event.listen(database._engine, "before_cursor_execute", count)  # noqa: SLF001
    for _ in range(TIMES):
        statements, began = 0, time.perf_counter()
        size = len(ask())
        took.append(1000 * (time.perf_counter() - began))
    sa.event.remove(database._engine, "before_cursor_execute", count)  # noqa: SLF001
    return took, statements, size


if __name__ == "__main__":
    main()
