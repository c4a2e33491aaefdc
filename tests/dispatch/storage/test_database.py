"""Opening, migrating and the two kinds of transaction, on both databases."""

import signal
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from dispatch.errors import BadInput, Conflict, NotReady
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.tables import Territory
from tests.conftest import VAULT
from tests.servers import postgres


def territory(name: str) -> Territory:
    return Territory(id=uuid4(), name=name, timezone="Europe/Paris", policy={}, created_at=datetime.now(UTC))


def names(database: Database) -> list[str]:
    with database.read() as session:
        return [row.name for row in Registry(session).territories()]


def test_migrated_tables_are_exactly_those_of_the_models(database: Database) -> None:
    database.check_tables()
    database.check_ready()


def test_migrating_twice_changes_nothing(database: Database) -> None:
    with database.write() as session:
        Registry(session).add(territory("A"))
    database.migrate()
    assert names(database) == ["A"]


def test_a_database_without_tables_is_not_ready_and_says_what_to_do(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}/empty.sqlite3") as database, pytest.raises(NotReady, match="allons migrate"):
        database.check_ready()


def test_a_server_that_is_away_is_not_ready() -> None:
    with pytest.raises(NotReady, match="does not answer"):
        Database("postgresql+psycopg://nobody@127.0.0.1:1/none").check_ready()


BAD_URLS = ("", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "sqlite:////proc/none/x.sqlite3", "1:2:3")


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_cannot_be_used_is_refused_by_the_name_of_its_setting(url: str) -> None:
    with pytest.raises(BadInput, match="ALLONS_DATABASE_URL"):
        Database(url)


def test_an_error_inside_a_transaction_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        Registry(session).add(territory("half"))
        raise RuntimeError
    assert names(database) == []


def test_a_broken_guarantee_becomes_a_conflict_that_carries_no_value(database: Database) -> None:
    with database.write() as session:
        Registry(session).add(territory("Canary"))
    with pytest.raises(Conflict) as caught, database.write() as session:
        Registry(session).add(territory("Canary"))
    assert "Canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_statements_that_fail_do_not_show_their_values(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError) as caught, database.write() as session:
        session.execute(sa.text("SELECT canary FROM nowhere WHERE x = :x"), {"x": "secret-canary"})
    assert "secret-canary" not in str(caught.value)


def test_two_writers_wait_for_each_other_and_lose_nothing(sqlite: Database) -> None:
    def add(n: int) -> None:
        for k in range(20):
            with sqlite.write() as session:
                registry = Registry(session)
                count = len(registry.territories())  # read, then write: a deferred transaction would fail here
                registry.add(territory(f"{n}-{k}-{count}"))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = sorted(int(name.rsplit("-", 1)[1]) for name in names(sqlite))
    assert counts == list(range(80))


def test_a_reader_is_not_held_up_by_a_writer(sqlite: Database) -> None:
    with sqlite.write() as session:
        Registry(session).add(territory("unfinished"))
        assert names(sqlite) == []


def test_sqlite_keeps_its_promises_to_the_disk(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}/a.sqlite3") as database, database.read() as session:
        found = [session.execute(sa.text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert found == ["wal", 2, 1]


def test_when_every_connection_is_taken_it_is_not_ready_and_works_again_when_one_is_free(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}/a.sqlite3") as database:
        database.migrate()
        database._engine.pool._timeout = 0.1  # type: ignore[attr-defined]
        with ExitStack() as taken:
            for _ in range(15):  # the pool's five, and ten more
                taken.enter_context(database.read()).execute(sa.text("SELECT 1"))
            for opening in (database.read, database.write):
                with pytest.raises(NotReady, match="does not answer"), opening() as session:
                    session.execute(sa.text("SELECT 1"))
            with pytest.raises(NotReady, match="does not answer"):
                database.check_ready()
        assert names(database) == []


@pytest.mark.postgis
def test_a_transaction_has_limits_and_who_comes_to_one_is_told_to_try_again(postgis: Database) -> None:
    found = {}
    with postgis.read() as session:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            found[name] = session.execute(sa.text(f"SHOW {name}")).scalar_one()
    assert found == {"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s"}
    with pytest.raises(NotReady), postgis.write() as session:
        session.execute(sa.text("SET LOCAL statement_timeout = '100ms'"))
        session.execute(sa.text("SELECT pg_sleep(20)"))
    with postgis.write() as first:
        Registry(first).add(territory("A"))
        with pytest.raises(NotReady), postgis.write() as second:
            second.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
            Registry(second).add(territory("A"))  # waits for what becomes of the first
    for opening in (postgis.write, postgis.read):
        with pytest.raises(NotReady), opening() as session:
            session.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = '100ms'"))
            time.sleep(0.5)
            session.execute(sa.text("SELECT 1"))
    assert names(postgis) == ["A"]  # and the next transaction is a good one


@pytest.mark.postgis
def test_a_full_disk_is_told_as_such(postgis: Database) -> None:
    with pytest.raises(NotReady, match="takes no more"), postgis.write() as session:
        session.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$"))


def test_a_full_sqlite_file_is_told_as_such(sqlite: Database) -> None:
    with sqlite._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with pytest.raises(NotReady, match="takes no more"), sqlite.write() as session:
        session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
        for k in range(200):
            Registry(session).add(territory(f"{k} {'x' * 150}"))


@pytest.mark.postgis
def test_a_server_that_comes_back_is_used_again() -> None:
    with postgres() as server, Database(f"{server.url}/postgres", VAULT) as database:
        database.migrate()
        assert names(database) == []
        server.stop(signal.SIGQUIT)  # without a word to anybody
        for opening in (database.read, database.write):
            with pytest.raises(NotReady), opening() as session:
                session.execute(sa.text("SELECT 1"))
        server.start()
        assert names(database) == []
