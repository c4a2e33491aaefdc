"""Opening, migrating and the two kinds of transaction, on both databases."""

import threading
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


def test_sqlite_keeps_its_promises_to_the_disk(sqlite: Database) -> None:
    with sqlite.read() as session:
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
