"""Opening the database, and the two kinds of transaction. SQLite (one file, WAL) or PostgreSQL with PostGIS.

In: a URL. Out: sessions that live for one transaction, in a role, and in no territory until a `Store` enters one. Opened by the
boundaries (api, planner, command line).
"""

import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self
from uuid import UUID

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, InterfaceError, InternalError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from dispatch.errors import BadInput, Conflict, Fault, NotReady
from dispatch.settings import Settings
from dispatch.storage.digests import digest
from dispatch.storage.vault import Vault, find_master_key

__all__ = ["Database", "Session"]
BUSY_S = 10  # a writer waits this long for another one
#: Longest statement, wait for a lock, and pause inside a transaction; PostgreSQL only, as the server understands them.
_LIMITS = {"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s"}
_AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)  # what `_unready` looks at; the last: every connection is taken
_OVERLAPPING = ("40001", "40P01")  # two transactions in each other's way: this one was given up
_MIGRATIONS = Path(__file__).parent / "migrations"


Role = Literal["app", "solver", "auditor"]


class Database:
    """One database: transactions, migrations, readiness. Connects on first use.

    BadInput for a URL that cannot be understood or a folder that cannot be made.
    """

    def __init__(self, url: str, vault: Vault | None = None) -> None:
        self._engine = _engine_for(url)
        self._vault = vault
        self.announce: Callable[[UUID], None] | None = None  #: called after each commit, with every territory something moved in

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings have it. BadInput also for a key of the vault that is missing or none."""
        key = settings.vault_key.get_secret_value() if settings.vault_key else None
        database = cls(settings.database_url)
        try:
            database._vault = Vault(find_master_key(settings.database_url, key, settings.vault_key_file, database._is_sealed))
        except BadInput:
            database.close()
            raise
        return database

    @contextmanager
    def write(self, role: Role = "app") -> Iterator[Session]:
        """One writing transaction, committed at the end. A broken guarantee becomes Conflict, a server that is away NotReady."""
        try:
            engine = self._engine.execution_options(role=role)
            with Session(engine, expire_on_commit=False, info={"vault": self._vault}) as session, session.begin():
                yield session
            if self.announce is not None:
                for territory_id in session.info.get("moved", ()):
                    self.announce(territory_id)
        except (IntegrityError, StaleDataError):
            raise Conflict from None  # the statement's values are personal data: they do not travel with the error
        except _AWAY as error:
            if getattr(getattr(error, "orig", None), "sqlstate", "") in _OVERLAPPING:
                raise Conflict from None
            raise _unready(error) or error from None

    @contextmanager
    def read(self, role: Role = "app") -> Iterator[Session]:
        """One transaction that only reads."""
        try:
            engine = self._engine.execution_options(reads=True, role=role)
            with Session(engine, expire_on_commit=False, info={"vault": self._vault}) as session:
                yield session
        except _AWAY as error:
            raise _unready(error) or error from None

    def migrate(self, to: str = "head") -> None:
        """Bring the tables to a revision, by default the newest, in one transaction; nothing happens where they are."""
        try:
            with self._engine.execution_options(rebuilds=True).begin() as connection:
                alembic.command.upgrade(_config(connection, self._vault), to)
                if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise NotReady("The migration would have lost what rows refer to; nothing was changed.")
        except OperationalError:
            raise NotReady("The database cannot be opened or written.") from None

    def check_ready(self) -> None:
        """NotReady when the database does not answer or its tables are of another version."""
        try:
            with self._engine.execution_options(reads=True, role="app").connect() as connection:
                found = MigrationContext.configure(connection).get_current_revision()
        except _AWAY as error:
            raise _unready(error) or error from None
        if found != _newest_version():
            raise NotReady("The database's tables are of another version: run `allons migrate`.")

    def check_tables(self) -> None:
        """Raises alembic's CommandError when the tables differ from `tables.py`; for tests."""
        with self._engine.begin() as connection:
            alembic.command.check(_config(connection))

    def _is_sealed(self) -> bool:
        """Whether it holds what only the key of its vault opens: names, or addresses that accounts are found by."""
        with self._engine.execution_options(reads=True).connect() as connection:
            there = sa.inspect(connection).get_table_names()
            columns = {"person_key": "wrapped", "account": "login_digest"}
            kept = [sa.table(name, sa.column(column)).c[column] for name, column in columns.items() if name in there]
            return any(connection.scalar(sa.select(sa.exists().where(column.is_not(None)))) for column in kept)

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
            return _postgresql(parsed)
    except (ArgumentError, NoSuchModuleError, OSError):
        pass
    what = "give sqlite:///FILE in a folder that can be written, or postgresql+psycopg://USER@HOST/NAME"
    raise BadInput([Fault("ALLONS_DATABASE_URL", "invalid", what)])


def enter(session: Session, territory_id: UUID) -> None:
    """From here to the end of the transaction only rows of this territory are there (SQLite: can be written). Called by `Store`."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        session.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(territory_id)})
    else:
        connection.info["territory"] = territory_id.hex


def _unready(error: Exception) -> NotReady | None:
    """Of a server that is away, shutting down, full, or too slow; None for a mistake of ours, which drivers file under the same classes."""
    cause = getattr(error, "orig", None)
    if isinstance(error, InterfaceError | InternalError) and not error.connection_invalidated and getattr(cause, "sqlstate", "") != "25P03":
        return None  # the exception: a transaction that paused for too long was ended
    if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_ERROR:
        return None
    full = getattr(cause, "sqlstate", None) == "53100" or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return NotReady("The database takes no more for the moment." if full else "The database does not answer.")


def _postgresql(url: sa.URL) -> sa.Engine:
    options = " ".join(f"-c {name}={value}" for name, value in _LIMITS.items())
    arguments = {"connect_timeout": 5, "options": options}
    engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_timeout=5, connect_args=arguments)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        first = "SET TRANSACTION READ ONLY; " if options.get("reads") else ""
        if role := options.get("role"):  # migrations have none: they are the owner's
            connection.exec_driver_sql(f"{first}SET LOCAL ROLE allons_{role}")

    return engine


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_S})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):  # an acknowledged commit survives a power cut
            connection.execute(f"PRAGMA {pragma}").close()
        info = record.info  # of this connection: the same that `enter` finds
        connection.create_function("acting_role", 0, lambda: info.get("role"))
        connection.create_function("digest", -1, digest, deterministic=True)
        connection.create_function("acting_territory", 0, lambda: info.get("territory"))

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.info["role"], connection.info["territory"] = connection.get_execution_options().get("role"), None
        options = connection.get_execution_options()
        # a migration replaces whole tables, which others refer to: it looks for lost references at its end instead
        connection.exec_driver_sql(f"PRAGMA foreign_keys = {'OFF' if options.get('rebuilds') else 'ON'}")
        reads = options.get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")  # a writer waits at its start, and never fails half way

    @sa.event.listens_for(engine, "commit")
    def _commit(connection: sa.Connection) -> None:
        planner = connection.get_execution_options().get("role") == "solver"
        if planner and connection.exec_driver_sql("SELECT 1 FROM ride_without_run LIMIT 1").first():
            raise Conflict  # whoever agreed has no run any more; triggers cannot wait for the end

    return engine


@functools.cache
def _newest_version() -> str | None:
    """Of the migrations, whose files are read once: readiness is asked for again and again."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def _config(connection: sa.Connection, vault: Vault | None = None) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["vault"] = vault
    return config
