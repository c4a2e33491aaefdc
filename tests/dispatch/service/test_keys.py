"""Keys are shown once, kept as hashes, and stop working when they should."""

from datetime import timedelta
from uuid import uuid4

import pytest

from dispatch.errors import BadInput, NotFound, Unauthenticated
from dispatch.service.keys import find_caller, make_key
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on SQLite."""
    return TestTerritory(sqlite, demo_roads)


def test_a_key_opens_for_its_holder_and_is_not_kept_in_the_clear(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with place.store() as store:
        row, text = make_key(Registry(store.session), "driver", store, volunteer, place.world)
        caller = find_caller(Registry(store.session), text, place.world)
    assert (caller.role, caller.territory_id, caller.holder_id) == ("driver", place.id, volunteer)
    assert text.rsplit("_", 1)[1] not in repr(vars(row))


@pytest.mark.parametrize("spoil", ["", "allons_", "x" * 61, "other prefix", "other secret", "UPPER", "trailing"])
def test_anything_else_opens_nothing(place: TestTerritory, spoil: str) -> None:
    with place.store() as store:
        _, text = make_key(Registry(store.session), "coordinator", store, None, place.world)
        _, prefix, secret = text.split("_")
        wrong = {
            "other prefix": f"allons_{'0' * 12}_{secret}",
            "other secret": f"allons_{prefix}_{'0' * 40}",
            "UPPER": text.upper(),
            "trailing": text + "0",
        }.get(spoil, spoil)
        with pytest.raises(Unauthenticated):
            find_caller(Registry(store.session), wrong, place.world)


def test_an_expired_or_revoked_key_opens_nothing(place: TestTerritory) -> None:
    with place.store() as store:
        registry = Registry(store.session)
        _, short = make_key(registry, "coordinator", store, None, place.world, days=2)
        row, long = make_key(registry, "coordinator", store, None, place.world)
        place.world.advance(timedelta(days=2))
        with pytest.raises(Unauthenticated):
            find_caller(registry, short, place.world)
        find_caller(registry, long, place.world)
        row.revoked_at = place.world.now()
        with pytest.raises(Unauthenticated):
            find_caller(registry, long, place.world)


def test_a_key_fits_its_role(place: TestTerritory) -> None:
    with place.store() as store:
        registry = Registry(store.session)
        with pytest.raises(BadInput, match="territory"):
            make_key(registry, "admin", store, None, place.world)
        with pytest.raises(BadInput, match="territory"):
            make_key(registry, "coordinator", None, None, place.world)
        with pytest.raises(BadInput, match="holder"):
            make_key(registry, "driver", store, None, place.world)
        with pytest.raises(BadInput, match="holder"):
            make_key(registry, "coordinator", store, uuid4(), place.world)
        with pytest.raises(NotFound):
            make_key(registry, "driver", store, uuid4(), place.world)
