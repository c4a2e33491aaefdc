"""Opening the database, and the two kinds of transaction. SQLite (one file, WAL) or PostgreSQL with PostGIS.

In: a URL. Out: sessions that live for one transaction. Opened by the boundaries (api, planner, command line).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from dispatch.errors import BadInput, Conflict, Fault, NotReady

__all__ = ["Database", "Session"]
BUSY_S = 10  # a writer waits this long for another one
_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One database: transactions, migrations, readiness. Connects on first use.

    BadInput for a URL that cannot be understood or a folder that cannot be made.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine_for(url)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One writing transaction, committed at the end. A broken guarantee of the tables becomes Conflict."""
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
        except (IntegrityError, StaleDataError):
            raise Conflict from None  # the statement's values are personal data: they do not travel with the error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that only reads."""
        with Session(self._engine.execution_options(reads=True), expire_on_commit=False) as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to the newest revision, in one transaction; nothing happens where they are."""
        try:
            with self._engine.begin() as connection:
                alembic.command.upgrade(_config(connection), "head")
        except OperationalError:
            raise NotReady("The database cannot be opened or written.") from None

    def check_ready(self) -> None:
        """NotReady when the database does not answer or its tables are of another version."""
        try:
            with self._engine.execution_options(reads=True).connect() as connection:
                found = MigrationContext.configure(connection).get_current_revision()
        except OperationalError:
            raise NotReady("The database does not answer.") from None
        if found != ScriptDirectory(str(_MIGRATIONS)).get_current_head():
            raise NotReady("The database's tables are of another version: run `allons migrate`.")

    def check_tables(self) -> None:
        """Raises alembic's CommandError when the tables differ from `tables.py`; for tests."""
        with self._engine.begin() as connection:
            alembic.command.check(_config(connection))

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _engine_for(url: str) -> sa.Engine:
    try:
        parsed = make_url(url)
        name = parsed.get_backend_name()
        if name == "sqlite" and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            return _sqlite(parsed)
        if name == "postgresql":
            return sa.create_engine(parsed, hide_parameters=True, pool_pre_ping=True, pool_timeout=5, connect_args={"connect_timeout": 5})
    except (ArgumentError, NoSuchModuleError, OSError):
        pass
    what = "give sqlite:///FILE in a folder that can be written, or postgresql+psycopg://USER@HOST/NAME"
    raise BadInput([Fault("ALLONS_DATABASE_URL", "invalid", what)])


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_S})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):  # an acknowledged commit survives a power cut
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")  # a writer waits at its start, and never fails half way

    return engine


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
