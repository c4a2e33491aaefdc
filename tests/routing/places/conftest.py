"""An index of the demo territory, and services on loopback that answer as BAN and Nominatim do, or as no service should."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from routing.demo import make_demo_extract
from routing.places import LocalIndex
from routing.places.gather import gather_places
from routing.places.write import save_places

BAN_HOUSE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [2.290084, 49.897442]},
    "properties": {
        "label": "8 Boulevard du Port 80000 Amiens", "score": 0.49159121588068583, "housenumber": "8", "id": "80021_6590_00008",
        "banId": "9f1c0f2e-0000-4000-8000-000000000000", "type": "housenumber", "name": "8 Boulevard du Port", "postcode": "80000",
        "citycode": "80021", "x": 648952.58, "y": 6977867.14, "city": "Amiens", "context": "80, Somme, Hauts-de-France",
        "importance": 0.6706, "street": "Boulevard du Port", "_type": "address",
    },
}  # fmt: skip
NOMINATIM_HOUSE = {
    "place_id": 100149, "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright", "osm_type": "node",
    "osm_id": 107775, "lat": "49.897442", "lon": "2.290084", "category": "place", "type": "house", "place_rank": 30, "importance": 0.00009,
    "addresstype": "place", "name": "", "display_name": "8, Boulevard du Port, Amiens, Somme, Hauts-de-France, 80000, France",
    "address": {
        "house_number": "8", "road": "Boulevard du Port", "city": "Amiens", "county": "Somme", "state": "Hauts-de-France",
        "postcode": "80000", "country": "France", "country_code": "fr",
    },
    "boundingbox": ["49.8973", "49.8975", "2.2900", "2.2901"],
}  # fmt: skip
AMIENS = (2.290084, 49.897442)


@dataclass
class Provider:
    """A service on loopback: what it answers may be changed while it runs, and it notes what it was asked."""

    url: str = ""
    answer: Callable[[str], Any] = lambda _path: {}
    status: int = 200
    delay_s: float = 0.0
    drip_s: float = 0.0  # between two bytes
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


@contextmanager
def provider() -> Iterator[Provider]:
    told = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            told.asked.append((parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}))
            told.times.append(time.monotonic())
            time.sleep(told.delay_s)
            answer = told.answer(parts.path)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            try:
                self.send_response(told.status)
                for name, value in {"Content-Length": str(len(body)), **told.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for piece in [body[k : k + 1] for k in range(len(body))] if told.drip_s else [body]:
                    self.wfile.write(piece)
                    time.sleep(told.drip_s)
            except OSError:
                pass  # who asked has gone

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def ban() -> Iterator[Provider]:
    """As the Géoplateforme answers."""
    with provider() as told:
        told.answer = lambda _: {"type": "FeatureCollection", "query": "8 bd du port", "features": [BAN_HOUSE]}
        yield told


@pytest.fixture
def nominatim() -> Iterator[Provider]:
    """As Nominatim answers."""
    with provider() as told:
        told.answer = lambda path: NOMINATIM_HOUSE if path == "/reverse" else [NOMINATIM_HOUSE]
        yield told


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo territory's index."""
    folder = tmp_path_factory.mktemp("places")
    make_demo_extract(folder / "demo.osm.pbf")
    save_places(gather_places(folder / "demo.osm.pbf"), folder / "demo.places")
    return folder / "demo.places"


@pytest.fixture(scope="session")
def demo(demo_file: Path) -> Iterator[LocalIndex]:
    """Opened."""
    index = LocalIndex(demo_file)
    yield index
    index.close()
