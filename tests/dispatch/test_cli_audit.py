"""The commands for whoever answers for the data: verify, seal, back up, restore, a new key."""

import base64
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from dispatch.cli import app
from dispatch.errors import BadInput
from dispatch.service.privacy import erase_person
from dispatch.service.trips import cancel_trip
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import TripRequest
from routing.network import RoadNetwork
from tests.conftest import VAULT, VAULT_KEY
from tests.dispatch.territories import TestTerritory

Run = Callable[..., Result]


@pytest.fixture
def allons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite: Database) -> Run:
    """The command, on the database of `sqlite`."""
    monkeypatch.setenv("ALLONS_DATABASE_URL", f"sqlite:///{tmp_path}/allons.sqlite3")
    monkeypatch.setenv("ALLONS_VAULT_KEY", VAULT_KEY)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory in which something has happened."""
    place = TestTerritory(sqlite, demo_roads)
    request = place.ask()
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world)
    return place


def test_a_whole_log_is_verified_and_a_changed_row_is_named(allons: Run, place: TestTerritory) -> None:
    head = allons("audit", "head")
    assert head.output.split()[:2] == [str(place.id), "1"]
    whole = allons("audit", "verify")
    assert (whole.exit_code, whole.output.splitlines()[-1]) == (0, "Every row is as it was written.")
    with place.database._engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER event_no_update")
        connection.exec_driver_sql("DROP TRIGGER event_own_update")
        found = connection.exec_driver_sql("UPDATE event SET reason = 'x' WHERE kind = 'request' AND seq = 2 RETURNING id").scalar_one()
    broken = allons("audit", "verify")
    assert broken.exit_code == 1
    assert f"event {UUID(found)}" in broken.output
    assert "somebody has changed the log" in broken.output


def test_who_was_erased_stays_erased_when_yesterday_comes_back(
    allons: Run, place: TestTerritory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stays = place.person("canary Jeanne"), place.person("Odette")
    data, keys = allons("backup", "--folder", tmp_path / "b").output.split()
    Path(data).rename(tmp_path / "b" / "yesterday.sqlite3")
    place.world.advance(dt.timedelta(days=1))
    with place.store() as store:
        erase_person(store, store.file_of(gone), place.world)
    assert allons("backup", "--folder", tmp_path / "b").exit_code == 0
    taken = allons("restore", tmp_path / "b" / "yesterday.sqlite3", keys)
    assert isinstance(taken.exception, BadInput)
    monkeypatch.setenv("ALLONS_DATABASE_URL", f"sqlite:///{tmp_path}/again.sqlite3")
    assert allons("restore", tmp_path / "b" / "yesterday.sqlite3", keys).output == "Restored. Erased anew: 1.\n"
    with Database(f"sqlite:///{tmp_path}/again.sqlite3", VAULT) as database, database.read() as session:
        who = Store(session, place.id).identities([gone, stays])
    assert (who[gone].name, who[stays].name) == (None, "Odette")
    assert allons("audit", "verify").exit_code == 0


def test_postgresql_is_backed_up_with_its_own_tools(allons: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALLONS_DATABASE_URL", "postgresql+psycopg://a@b/c")
    with pytest.raises(BadInput, match=r"docs/backups\.md"):
        raise allons("backup", "--folder", tmp_path).exception or AssertionError


def test_every_new_key_is_another_one(allons: Run) -> None:
    keys = {allons("vault", "new-key").output.strip() for _ in range(3)}
    assert {len(base64.urlsafe_b64decode(key)) for key in keys} == {32}
    assert len(keys) == 3


@pytest.mark.parametrize("words", [("audit", "verify"), ("audit", "head"), ("backup", "--folder", "b")])
def test_a_setting_that_is_none_is_one_sentence_without_its_value(
    allons: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ALLONS_ROUND_SECONDS", "canary")
    refused = allons(*words)
    assert isinstance(refused.exception, BadInput)
    assert "round_seconds" in str(refused.exception)
    assert "canary" not in str(refused.exception) + refused.output
