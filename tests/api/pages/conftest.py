"""The demo as it is served, and browsers that look at it."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page

from api.app import create_app
from api.deps import Parts
from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner
from dispatch.service.demo import Demo, fill_demo
from dispatch.settings import Settings
from dispatch.world import World
from routing.basemap import BaseMap
from routing.basemap.gather import gather_map
from routing.basemap.write import write_map
from routing.confined import write_places_confined
from routing.network import RoadNetwork
from routing.places import LocalIndex, PlaceSearch
from tests.browser import Screen, chromium
from tests.conftest import open_sqlite
from tests.servers import free_port


class Site:
    """The demo, served on loopback: its parts, for tests that look behind the pages, and its address."""

    def __init__(self, parts: Parts, demo: Demo) -> None:
        self.parts, self.demo = parts, demo
        self.app = create_app(parts)
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._server = uvicorn.Server(uvicorn.Config(self.app, host="127.0.0.1", port=port, log_level="error", access_log=False))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "Site":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


_CALL = """async ([method, address, body]) => {
    const answer = await fetch(address, {method, body: body && JSON.stringify(body), headers: {"Content-Type": "application/json",
        "Idempotency-Key": crypto.randomUUID(), "X-CSRF-Token": document.querySelector("meta[name=csrf]").content}})
    return [answer.status, await answer.json()]
}"""


def call(page: Page, method: str, address: str, body: Any = None) -> tuple[int, Any]:
    """Ask the API as whoever is logged in on a page, past its forms and buttons; status and answer."""
    status, answer = page.evaluate(_CALL, [method, address, body])
    return status, answer


@pytest.fixture(scope="session")
def planned_demo(empty_sqlite: Path, demo_roads: RoadNetwork, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Demo]:
    """A database in which tomorrow is planned and volunteers are asked: to be copied."""
    path = Path(shutil.copy(empty_sqlite, tmp_path_factory.mktemp("demo") / "demo.sqlite3"))
    settings = Settings(round_iterations=400, debounce_seconds=0)
    with open_sqlite(path) as database:
        demo = fill_demo(database, demo_roads, World())
        Planner(database, demo_roads, LocalBus(), settings, World()).turn_and_wait()
    return path, demo


@pytest.fixture(scope="session")
def demo_places(demo_extract: Path, demo_roads: RoadNetwork) -> PlaceSearch:
    """The demo territory's places, searched by name."""
    path = demo_extract.with_name("demo.places")
    write_places_confined(demo_extract, path)
    west, south, east, north = demo_roads.bounds
    return PlaceSearch(LocalIndex(path), [], within=(west, south, east, north))


@pytest.fixture(scope="session")
def demo_map(demo_extract: Path) -> Iterator[BaseMap]:
    """The demo's base map."""
    path = demo_extract.with_name("demo.mbtiles")
    write_map(gather_map(demo_extract), path)
    base = BaseMap(path)
    yield base
    base.close()


@pytest.fixture(scope="module")
def site(
    planned_demo: tuple[Path, Demo],
    demo_roads: RoadNetwork,
    demo_places: PlaceSearch,
    demo_map: BaseMap,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The demo of one module's tests: they may change it, in the order they stand in."""
    path, demo = planned_demo
    copy = shutil.copy(path, tmp_path_factory.mktemp("site"))
    settings = Settings(round_seconds=0.5, debounce_seconds=0.2, sweep_seconds=0.5, sender_seconds=0.5)
    with open_sqlite(copy) as database:
        own = {"bus": LocalBus(), "settings": settings, "world": World(), "geocoder": demo_places, "base_map": demo_map}
        parts = Parts(database=database, network=demo_roads, demo=True, **own)  # type: ignore[arg-type]
        with Site(parts, demo) as served:
            yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; no longer than a module, since Playwright's event loop is in the way of tests that have one of their own."""
    with chromium() as found:
        yield found


@pytest.fixture
def screen(site: Site, browser: Any) -> Iterator[Callable[..., Screen]]:
    """Opens browsers: `screen("desktop")`, `screen("phone", dark=True)`. What goes wrong in them unseen fails the test."""
    opened: list[Screen] = []

    def start(size: str = "desktop", **more: Any) -> Screen:
        opened.append(Screen(browser, site.address, size, **more))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
