"""The demo territory, ready to be planned."""

from pathlib import Path

import pytest

from routing.network import RoadNetwork
from tests.dispatch.workers import Place, make_place


@pytest.fixture
def demo(request: pytest.FixtureRequest, demo_roads: RoadNetwork, tmp_path: Path) -> Place:
    """In the kind of database that is asked for; PostgreSQL if none is."""
    return make_place(request.getfixturevalue(getattr(request, "param", "postgis")), demo_roads, tmp_path)
