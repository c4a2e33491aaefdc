"""How quick the coordinator's day is: a day of 500 ways and 100 volunteers in a browser, and what one does in the browser of another.

    python -m benchmarks.pages            # the table of benchmarks/README.md; needs Chromium and the packages of the tests

Measured in Chromium on this machine: from asking for the page until its script has placed every bar; from a hand on a ride until what it
would mean is shown on every volunteer's line; from the answer to an offer in one browser until the other shows it.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from api.deps import Parts
from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner
from dispatch.logs import configure_logs
from dispatch.service.demo import fill_demo
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.vault import Vault
from dispatch.world import World
from routing.demo import make_demo_extract
from routing.network import build_network
from routing.osm import load_extract
from tests.api.pages.conftest import Site
from tests.browser import Screen, chromium

WAYS, VOLUNTEERS, TIMES = 500, 100, 7


def main() -> None:
    """Print the figures, as JSON with --json."""
    configure_logs(quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        extract = Path(folder) / "demo.osm.pbf"
        make_demo_extract(extract)
        network = build_network(load_extract(extract))
        settings = Settings(round_seconds=10.0, debounce_seconds=0.2, sweep_seconds=0.5, sender=False)
        with Database(f"sqlite:///{folder}/pages.sqlite3", Vault(bytes(32))) as database:
            database.migrate()
            demo = fill_demo(database, network, World(), legs=WAYS, drivers=VOLUNTEERS)
            Planner(database, network, LocalBus(), settings, World()).turn_and_wait()
            quiet = settings.model_copy(update={"planner": False})
            parts = Parts(database=database, network=network, bus=LocalBus(), settings=quiet, world=World(), demo=True)
            with Site(parts, demo) as site, chromium() as browser:
                found = measure(lambda: Screen(browser, site.address, "desktop"))
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    for name, (middle, worst) in found.items():
        print(f"| {name} | {middle:.0f} | {worst:.0f} |")


def measure(start: Callable[[], Screen]) -> dict[str, tuple[float, float]]:
    """Milliseconds: the median and the worst of `TIMES`."""
    one, other = start(), start()
    first, second = one.enter("coordinator"), other.enter("coordinator")
    opened, felt, heard = [], [], []
    for _ in range(TIMES):
        first.reload(wait_until="load")
        first.wait_for_function("document.querySelector('button.bar')?.style.left")
        opened.append(first.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart"))
    legs = first.evaluate("[...document.querySelectorAll('button.bar[draggable=true]')].map((bar) => bar.dataset.legs.split(' ')[0])")
    for leg in legs[:TIMES]:
        took = """async (leg) => { const at = performance.now(); await (await fetch(`/v1/legs/${leg}/candidates`)).json();
            return performance.now() - at }"""
        felt.append(first.evaluate(took, leg))
    for leg in legs[:TIMES]:
        answer = """async (leg) => { const day = await (await fetch(`/v1/days/${location.pathname.split("/")[2]}`)).json();
            const way = day.ways.find((one) => one.leg_id === leg); if (!way.offer_id) return false;
            const done = await fetch(`/v1/offers/${way.offer_id}/accept`, {method: "POST",
                headers: {"X-CSRF-Token": document.querySelector("meta[name=csrf]").content}}); return done.ok }"""
        if not first.evaluate(answer, leg):
            continue
        at = time.perf_counter()
        second.locator(f'tr[data-legs="{leg}"][data-group="confirmed"]').wait_for(state="attached")
        heard.append(1000 * (time.perf_counter() - at))
    one.close()
    other.close()
    named = {"day of 500 ways and 100 volunteers, ready": opened, "what a drag would mean": felt, "seen in the other browser": heard}
    return {name: (statistics.median(values), max(values)) for name, values in named.items()}


if __name__ == "__main__":
    main()
