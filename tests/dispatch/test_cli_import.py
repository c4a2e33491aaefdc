"""`allons import` goes the same way as the import over HTTP."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dispatch.cli import app
from dispatch.errors import BadInput
from dispatch.storage.database import Database
from dispatch.storage.tables import Volunteer
from routing.network import RoadNetwork
from routing.saved import save_network
from tests.conftest import VAULT_KEY
from tests.dispatch.territories import TestTerritory

Run = Callable[..., Result]


@pytest.fixture
def allons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite: Database, demo_roads: RoadNetwork) -> Run:
    """The command, on the database of `sqlite`."""
    save_network(demo_roads, tmp_path / "demo.roads")
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/allons.sqlite3", "VAULT_KEY": VAULT_KEY, "ROADS": f"{tmp_path}/demo.roads"}
    for name, value in settings.items():
        monkeypatch.setenv(f"ALLONS_{name}", value)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_a_file_is_tried_and_then_written(allons: Run, sqlite: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(sqlite, demo_roads)
    (lon, lat), command = place.point(), ("import", "volunteers", "v.csv", "--territory", "Pays d'essai")
    Path("v.csv").write_text(f"nom;domicile_lon;domicile_lat\nMarcel Canary;{lon};{lat}\nBad Canary;x;46\n")
    found = [allons(*command, *more) for more in (("--dry-run",), (), ("--only-good",))]
    sentence = "3: home_lon: must be a number, such as 46.2883 or 46,2883 (invalid)\n"
    assert [(run.exit_code, run.output) for run in found] == [
        (1, f"{sentence}{outcome}: 1 good, 1 bad\n") for outcome in ("tried", "refused", "written")
    ]
    with place.store() as store:
        (row,) = store.page(Volunteer, None, 10)
        assert store.identity(row.id).name == "Marcel Canary"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing", "v.csv", "--territory", "x"), "must be one of volunteers, beneficiaries, trip-requests"),
        (("volunteers", "absent.csv", "--territory", "x"), "cannot be read"),
        (("volunteers", "large.csv", "--territory", "x"), "is larger than 1024 KiB"),
        (("volunteers", "v.csv", "--territory", "x"), "there is no territory of this name"),
    ],
)
def test_what_cannot_be_is_one_sentence(allons: Run, words: tuple[str, ...], sentence: str) -> None:
    Path("v.csv").write_text("nom;domicile_lon;domicile_lat\n")
    Path("large.csv").write_bytes(b"x" * (1024 * 1024 + 1))
    ran = allons("import", *words)
    assert isinstance(ran.exception, BadInput)
    assert sentence in str(ran.exception)
