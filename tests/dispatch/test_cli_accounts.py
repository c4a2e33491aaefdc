"""The commands for accounts: the first people get in, and anybody is put out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dispatch.cli import app
from dispatch.errors import BadInput, Unauthenticated
from dispatch.service.accounts import log_in_by_address
from dispatch.storage.accounts import Accounts
from dispatch.storage.database import Database
from dispatch.world import World
from routing.network import RoadNetwork
from tests.conftest import VAULT_KEY
from tests.dispatch.territories import TestTerritory

Run = Callable[..., Result]


@pytest.fixture
def allons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite: Database, demo_roads: RoadNetwork) -> Run:
    """The command, on the database of `sqlite`, which has a territory."""
    TestTerritory(sqlite, demo_roads, "Pays d'essai")
    monkeypatch.setenv("ALLONS_DATABASE_URL", f"sqlite:///{tmp_path}/allons.sqlite3")
    monkeypatch.setenv("ALLONS_VAULT_KEY", VAULT_KEY)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(("role", "territory"), [("admin", ()), ("manager", ("--territory", "Pays d'essai"))])
def test_an_account_is_made_and_ended_also_an_admins(allons: Run, sqlite: Database, role: str, territory: tuple[str, ...]) -> None:
    email = "claire@example.org"
    made = allons("accounts", "add", "--role", role, "--name", "Claire", "--email", email, *territory)
    assert made.exit_code == 0, made.output
    with sqlite.write() as session:
        log_in_by_address(Accounts(session), email, World())
    assert allons("accounts", "end", "--email", email).exit_code == 0
    with sqlite.write() as session, pytest.raises(Unauthenticated):
        log_in_by_address(Accounts(session), email, World())
    with sqlite.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM login").scalar() == 0
    again = allons("accounts", "end", "--email", email)
    assert isinstance(again.exception, BadInput)
    assert "claire" not in str(again.exception)
