"""Factors are found again from trips that were driven with them; what cannot be used is told."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from routing.calibrate import COLUMNS, GROUPS, Calibration, calibrate, read_trips, slowed
from routing.errors import BadTrips
from routing.matrix import travel_times
from routing.network import NO_WAY, RoadNetwork
from routing.saved import load_network, save_network
from routing.snap import snap
from tests.routing.test_cli import run
from tests.routing.tiny import ROAD, line

TRUE = {"secondary": 1.3, "tertiary": 1.15, "unclassified": 1.5, "residential": 1.2}


def observed(network: RoadNetwork, n: int, noise: float, seed: int = 4) -> np.ndarray:
    """Trips driven on roads that are slower by TRUE, and not always equally fast."""
    rng = np.random.default_rng(seed)
    points = network.sample_points(rng, 2 * n)
    places = snap(network, points, limit_m=1e6)
    slow = slowed(network, np.array([TRUE.get(name, 1.0) for name in GROUPS]))
    parts = [type(places)(*(getattr(places, f.name)[part] for f in fields(places))) for part in (slice(0, n), slice(n, 2 * n))]
    seconds = np.diagonal(travel_times(slow, *parts).ms) / 1000 * rng.lognormal(0, noise, n)
    return np.column_stack([points[:n], points[n:], np.maximum(seconds, 1)])


@pytest.fixture(scope="module")
def found(demo_roads: RoadNetwork) -> Calibration:
    """Six hundred trips of the demo territory, each a tenth faster or slower than it should be."""
    return calibrate(demo_roads, observed(demo_roads, 600, 0.1))


def test_the_factors_that_trips_were_driven_with_are_found(found: Calibration) -> None:
    for name, factor in TRUE.items():
        if found.share[name] > 0.1:
            assert found.factors[name] == pytest.approx(factor, rel=0.08), name


def test_the_error_on_trips_that_were_not_fitted_goes_down(found: Calibration) -> None:
    assert found.before.trips == found.after.trips > 100
    assert found.before.bias < -0.1
    assert abs(found.after.bias) < 0.03
    assert found.after.typical < 0.6 * found.before.typical


def test_right_roads_stay_as_they_are(demo_roads: RoadNetwork) -> None:
    trips = observed(demo_roads, 200, 0.0)
    places = [snap(demo_roads, trips[:, k : k + 2]) for k in (0, 2)]
    trips[:, 4] = np.maximum(1, np.diagonal(travel_times(demo_roads, *places).ms) / 1000)
    same = calibrate(demo_roads, trips)
    assert all(factor == pytest.approx(1, abs=0.03) for factor in same.factors.values())
    assert same.after.typical < 0.02


def test_slowed_roads_are_slower_by_the_factor_of_each_piece(tmp_path: Path) -> None:
    """Two kilometres of tertiary at 48 km/h, one of residential, one of track; folded into one edge."""
    network = line(ROAD, {"highway": "residential"}, ROAD, {"highway": "track"}).network(tmp_path)
    twice = slowed(network, np.array([2.0 if name == "tertiary" else 1.0 for name in GROUPS]))
    for side in ("ms_along", "ms_against"):
        more = int(getattr(twice, side).sum()) - int(getattr(network, side).sum())
        assert more == pytest.approx(150_000, abs=300)
    assert twice.version != network.version
    assert (twice.slowness["tertiary"], twice.slowness["track"]) == (2.0, 1.0)
    assert slowed(twice, np.full(len(GROUPS), 1.5)).slowness["tertiary"] == 3.0
    for edge in range(len(twice.metres)):
        shares = twice.time_share[twice.pointer[edge] : twice.pointer[edge + 1]]
        assert (shares[0], shares[-1]) == (0, 1)
        assert (np.diff(shares) > 0).all()


def test_closed_directions_stay_closed(demo_roads: RoadNetwork) -> None:
    slow = slowed(demo_roads, np.full(len(GROUPS), 1.5))
    assert np.array_equal(slow.ms_against == NO_WAY, demo_roads.ms_against == NO_WAY)


def write(path: Path, trips: np.ndarray, delimiter: str = ",") -> Path:
    rows = [delimiter.join(COLUMNS), *(delimiter.join(f"{value:.7f}" for value in trip) for trip in trips)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_trips_are_read(tmp_path: Path, demo_roads: RoadNetwork, delimiter: str) -> None:
    trips = observed(demo_roads, 5, 0.0)
    assert read_trips(write(tmp_path / "trips.csv", trips, delimiter)) == pytest.approx(trips, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column"),
        ("a,b\n1,2\n", "no column from_lon"),
        (",".join(COLUMNS) + "\n", "no trips"),
        (",".join(COLUMNS) + "\n2.3,46.3,2.4,46.4,600\n2.3,46.3,2.4,46.4,ten\n", "line 3: seconds must be"),
        (",".join(COLUMNS) + "\n2.3,46.3,2.4,946.4,600\n", "line 2: to_lat must be"),
        (",".join(COLUMNS) + "\n2.3,46.3,2.4,46.4\n", "line 2: seconds must be"),
        (",".join(COLUMNS) + "\n2.3,nan,2.4,46.4,60\n", "line 2: from_lat must be"),
    ],
)
def test_bad_trips_are_told_by_line_and_column(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadTrips, match=says):
        read_trips(tmp_path / "t.csv")


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00from_lon")
    with pytest.raises(BadTrips, match="UTF-8"):
        read_trips(tmp_path / "t.csv")


def test_too_few_usable_trips_are_refused(demo_roads: RoadNetwork) -> None:
    trips = observed(demo_roads, 40, 0.0)
    trips[:25, 4] = 1_000_000
    with pytest.raises(BadTrips, match="of 40 trips can be used"):
        calibrate(demo_roads, trips)


def test_the_command_reports_and_saves(
    tmp_path: Path, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_network(demo_roads, tmp_path / "demo.roads")
    trips = observed(demo_roads, 120, 0.1)
    trips[3, :2] = 0.0
    write(tmp_path / "trips.csv", trips)
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "calibrate", "demo.roads", "trips.csv", "--out", "real.roads") == 0
    shown = capsys.readouterr().out
    assert "before: typically" in shown
    assert "Left out, far from every road: 1" in shown
    assert load_network(tmp_path / "real.roads", verify=True).slowness["tertiary"] > 1.0
    assert run(monkeypatch, "info", "real.roads") == 0
    assert "tertiary calibrated" in capsys.readouterr().out
    assert run(monkeypatch, "calibrate", "demo.roads", "none.csv") == 2
