"""Limits as people write them, speeds within reason, durations of ferries; every figure has a source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import speeds
from routing.speeds import BY_CLASS, BY_SURFACE, BY_TRACKTYPE, HIGHEST_KMH, LOWEST_KMH, duration_s, limit_kmh, speed_kmh


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("50", 50), ("50 km/h", 50), ("30 mph", 48.28032), ("FR:urban", 50), ("FR:rural", 80), ("80;50", 50), ("50|30", 30),
        ("FR:90", 90), ("FR:zone30", 30), ("FR:zone:30", 30), ("FR:walk", 20), ("DE:urban", 50),
        ("", None), ("0", None), ("signals", None), ("variable", None), ("-5", None), ("1e3", None), ("NaN", None),
    ],
)  # fmt: skip
def test_limits_are_read_as_people_write_them(text: str, kmh: float | None) -> None:
    assert limit_kmh(text) == (None if kmh is None else pytest.approx(kmh))


READ = ["maxspeed", "maxspeed:forward", "surface", "tracktype", "service", "source:maxspeed"]


@given(st.sampled_from(sorted(BY_CLASS)), st.dictionaries(st.sampled_from(READ), st.text(max_size=12)), st.booleans())
def test_any_tags_give_a_speed_within_reason(highway: str, tags: dict[str, str], forward: bool) -> None:
    assert LOWEST_KMH <= speed_kmh({**tags, "highway": highway}, forward=forward) <= HIGHEST_KMH


def test_bigger_roads_are_faster_and_bad_surfaces_slower() -> None:
    order = ("motorway", "trunk", "primary", "secondary", "tertiary", "residential", "living_street")
    found = [speed_kmh({"highway": name}) for name in order]
    assert found == sorted(found, reverse=True)
    for surface, row in BY_SURFACE.items():
        assert speed_kmh({"highway": "primary", "surface": surface}) <= row.kmh
    for grade, row in BY_TRACKTYPE.items():
        assert speed_kmh({"highway": "track", "tracktype": grade}) <= row.kmh


def test_each_direction_has_its_own_limit() -> None:
    tags = {"highway": "primary", "maxspeed:forward": "80", "maxspeed:backward": "50"}
    assert speed_kmh(tags, forward=True) / speed_kmh(tags, forward=False) == pytest.approx(1.6)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:20", 1200), ("1:05:30", 3930), ("20", 1200), ("PT1H10M", 4200), ("P1D", 86400), ("PT", None), ("", None), ("x", None)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


def test_every_figure_has_its_source() -> None:
    for name, table in vars(speeds).items():
        if name.startswith("BY_"):
            assert all(row.source.startswith("[") for row in table.values()), name
