"""A month of a platform played through HTTP: everything comes to an end, nobody is stranded, and what holds holds every evening."""

import datetime as dt
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from api.simulation.month import simulate
from api.simulation.stage import Wishes
from dispatch.cli import app
from routing.network import RoadNetwork

START = dt.date(2026, 10, 12)
ENDS = {"closed", "cancelled", "refused"}


def play(roads: RoadNetwork, days: int, seed: int, **wishes: Any) -> dict[str, Any]:
    return simulate(roads, Wishes(start=START, days=days, seed=seed, **wishes))


def test_a_few_days_are_lived_through_and_everything_comes_to_an_end(demo_roads: RoadNetwork) -> None:
    found = play(demo_roads, 3, 1)
    assert found["complaints"] == []
    assert set(found["requests"]) <= ENDS
    assert found["counted"]["requests"] + found["counted"]["rides_of_series"] == sum(found["requests"].values()) > 5
    assert found["ways"]["completed"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_month_leaves_nobody_stranded_and_nothing_open(demo_roads: RoadNetwork, seed: int) -> None:
    """With a night of 25 hours in it."""
    found = play(demo_roads, 30, seed)
    assert found["complaints"] == []
    assert set(found["requests"]) <= ENDS
    happened = found["counted"]
    for what in (
        "offers_accepted",
        "offers_declined",
        "cancellations",
        "taps_no_show",
        "calls_for_the_way_back",
        "absences",
        "eligibility_renewed",
    ):
        assert happened.get(what, 0) > 0, what
    assert found["served_share"] > 0.3


@pytest.mark.slow
def test_the_same_seed_is_the_same_month_and_more_volunteers_serve_more(demo_roads: RoadNetwork) -> None:
    usual, again, more = play(demo_roads, 5, 3), play(demo_roads, 5, 3), play(demo_roads, 5, 3, volunteers=20)
    assert usual == again
    assert more["served_share"] > usual["served_share"]


@pytest.mark.parametrize(
    ("wish", "sentence"), [(["--volunteers", "many"], "--volunteers"), (["--start", "2026-02-30"], "--start"), (["--days", "0"], "--days")]
)
def test_a_wish_that_cannot_be_is_told(wish: list[str], sentence: str) -> None:
    found = CliRunner().invoke(app, ["simulate", *wish])
    assert found.exit_code != 0
    assert sentence in found.output + str(found.exception)


def test_the_command_writes_the_figures(tmp_path: Any) -> None:
    out = tmp_path / "month.json"
    found = CliRunner().invoke(app, ["simulate", "--days", "1", "--demand", "0.3", "--json", str(out)])
    assert found.exit_code == 0, found.output
    assert json.loads(out.read_text())["days"] == 1
