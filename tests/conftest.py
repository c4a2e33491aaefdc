"""Fixtures that every room may need: data files, the demo territory's roads, databases, Redis."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
import structlog
from hypothesis import settings
from psycopg import sql

from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.vault import Vault
from routing.demo import make_demo_extract
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from tests import servers
from tests.servers import redis_server

# no deadlines: two workers share two cores; the same examples every time in CI, so that a failure there is one here
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")

ROOT = Path(__file__).parent.parent
for name in Settings.model_fields:  # what whoever runs the tests has chosen for a service of theirs is not for these
    os.environ.pop(f"ALLONS_{name.upper()}", None)
VAULT_KEY = "A" * 43 + "="
VAULT = Vault(bytes(32))  # the same as bytes


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Commands set up logs for their process; the next test has its own."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def data_file() -> Callable[[str], Path]:
    """Find a file of the test data by its relative name; skip where it is absent, fail in CI."""
    folder = Path(os.environ.get("ALLONS_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            sentence = f"test data {name} is missing: set ALLONS_DATA to the folder that holds it"
            if os.environ.get("CI") == "true":
                pytest.fail(sentence)
            pytest.skip(sentence)
        return path

    return find


@pytest.fixture(scope="session")
def demo_extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo territory."""
    extract = tmp_path_factory.mktemp("roads") / "demo.osm.pbf"
    make_demo_extract(extract)
    return extract


@pytest.fixture(scope="session")
def demo_roads(demo_extract: Path) -> RoadNetwork:
    """Its roads, made from its extract like any others."""
    return build_network(load_extract(demo_extract))


@pytest.fixture(scope="session")
def postgis_server() -> Iterator[str]:
    """A PostgreSQL server with PostGIS."""
    with servers.postgis() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest tables, to be copied: migrating takes a second or more."""
    path = tmp_path_factory.mktemp("empty") / "allons.sqlite3"
    with Database(f"sqlite:///{path}", VAULT) as database:
        database.migrate()
    return path


def open_sqlite(path: Path | str) -> Database:
    """Without waiting for the disk at each commit, like the PostgreSQL servers of tests: nobody cuts their power."""
    database = Database(f"sqlite:///{path}", VAULT)
    sa.event.listen(database._engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF").close())
    return database


@pytest.fixture
def sqlite(empty_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database with the newest tables."""
    with open_sqlite(shutil.copy(empty_sqlite, tmp_path)) as database:
        yield database


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with the newest tables, of either kind: what holds must hold on both."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    yield request.getfixturevalue("postgis")


def make_postgis(server: str, like: str = "template1") -> Database:
    """A new database as another one is, which nobody may be connected to."""
    name = f"t{uuid4().hex}"
    with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like)))
    return Database(f"{server}/{name}", VAULT)


@pytest.fixture
def new_postgis(request: pytest.FixtureRequest) -> Callable[[], Database]:
    """Makes PostgreSQL databases without any tables."""
    return lambda: make_postgis(request.getfixturevalue("postgis_server"))


@pytest.fixture(scope="session")
def empty_postgis(postgis_server: str) -> str:
    """The name of a database with the newest tables, to be copied."""
    with make_postgis(postgis_server) as database:
        database.migrate()
        return str(database._engine.url.database)


@pytest.fixture
def postgis(postgis_server: str, empty_postgis: str) -> Iterator[Database]:
    """An empty PostgreSQL database with the newest tables."""
    with make_postgis(postgis_server, empty_postgis) as database:
        yield database
