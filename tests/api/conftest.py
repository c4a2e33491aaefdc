"""A service with two territories full of canaries, and a key of every role for each."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import limits
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient

from api import auth
from api.app import create_app
from api.deps import Parts
from dispatch.engine.bus import LocalBus, RedisBus
from dispatch.service.keys import make_key
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from routing.network import RoadNetwork
from tests.conftest import open_sqlite
from tests.dispatch.territories import TestTerritory


class Service:
    """The application under test, spoken to as somebody."""

    def __init__(self, database: Database, network: RoadNetwork, **settings: Any) -> None:
        self.here = TestTerritory(database, network, "Canary-Here", 1)
        self.there = TestTerritory(database, network, "Canary-There", 2)
        self.there.world = self.here.world
        quick = {"round_seconds": 0.3, "debounce_seconds": 0.0, "live_seconds": 0.1}
        chosen = Settings(**({"planner": False, "sender": False, **quick} | settings))
        bus = RedisBus(chosen.redis_url) if chosen.redis_url else LocalBus()
        self.parts = Parts(database=database, network=network, bus=bus, settings=chosen, world=self.here.world)
        self.app = create_app(self.parts)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.people = {
            self.here.id: (
                self.here.volunteer("Canary Morel", phone="0655667788"),
                self.here.person("Canary Roussel", phone="0611223344"),
            ),
            self.there.id: (
                self.there.volunteer("Canary-There Morel", phone="0799887766", accepts_needs=["belt_exemption"]),
                self.there.person("Canary-There Roussel", phone="0799776655", needs=["belt_exemption"]),
            ),
        }
        self._mine: dict[str, Any] = {}
        self._series: UUID | None = None
        self.people_home = self.here.point()
        self._keys: dict[tuple[str, UUID], str] = {}

    def key(self, role: str, territory: TestTerritory | None = None) -> str:
        """A key of a role; drivers and beneficiaries hold those of `people`."""
        place = territory or self.here
        if (role, place.id) not in self._keys:
            volunteer, person = self.people[place.id]
            holder = {"driver": volunteer, "beneficiary": person}.get(role)
            with place.database.write() as session:
                scope = None if role == "admin" else Store(session, place.id)
                _, text = make_key(Registry(session), role, scope, holder, place.world)  # type: ignore[arg-type]
            self._keys[role, place.id] = text
        return self._keys[role, place.id]

    def call(self, role: str, method: str, path: str, *, at: TestTerritory | None = None, **rest: Any) -> httpx2.Response:
        """One call as somebody."""
        headers = {"Authorization": f"Bearer {self.key(role, at)}", "Idempotency-Key": str(uuid4()), **rest.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **rest)

    @property
    def series_of_mine(self) -> dict[str, Any]:
        """A wish that comes again, the same each time."""
        days = {"weekdays": [4], "first_day": "2026-11-23"}
        return {**self.wish_of_mine, "arrive_by": "20:00", "return_after": "21:00", **days}

    @property
    def series_id(self) -> UUID:
        """Of a series that is there."""
        if self._series is None:
            made = self.call("coordinator", "POST", "/v1/series", json=self.series_of_mine)
            self._series = UUID(made.json()["series"]["id"])
        return self._series

    def wish(self, **parts: Any) -> dict[str, Any]:
        """A trip request as it is posted."""
        base: dict[str, Any] = {
            "beneficiary_id": str(self.people[self.here.id][1]),
            "origin": list(self.here.point()),
            "destination": list(self.here.point()),
            "arrive_by": "2026-11-24T10:40:00+01:00",
            "return_after": "2026-11-24T11:40:00+01:00",
        }
        return base | parts

    @property
    def wish_of_mine(self) -> dict[str, Any]:
        """The same request each time."""
        if not self._mine:
            self._mine = self.wish()
        return self._mine


@pytest.fixture(scope="session", autouse=True)
def one_loop() -> Iterator[None]:
    """One event loop for every client, as a server has one: by itself a client starts a thread and a loop for each call."""
    with start_blocking_portal() as TestClient.portal:
        yield
    TestClient.portal = None


@pytest.fixture
def service(sqlite: Database, demo_roads: RoadNetwork) -> Service:
    """Without a planner: nothing happens but what the test does."""
    return Service(sqlite, demo_roads)


@pytest.fixture
def many(sqlite: Database, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that may be called often, by strangers too."""
    monkeypatch.setattr(auth, "STRANGERS", limits.RateLimitItemPerMinute(1_000_000))
    return Service(sqlite, demo_roads, calls_per_minute=1_000_000)


@pytest.fixture(scope="module")
def lasting(empty_sqlite: Path, demo_roads: RoadNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for the tests of a module that change nothing, or are not troubled by what was changed before; it may be called often too."""
    copy = shutil.copy(empty_sqlite, tmp_path_factory.mktemp("lasting"))
    with pytest.MonkeyPatch.context() as patch, open_sqlite(copy) as database:
        patch.setattr(auth, "STRANGERS", limits.RateLimitItemPerMinute(1_000_000))
        yield Service(database, demo_roads, calls_per_minute=1_000_000)
