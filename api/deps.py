"""What every request works with, and the two ways into the database. Built once by whoever starts the application."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from dispatch.engine.bus import Bus
from dispatch.errors import Refused
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.world import World
from routing.network import RoadNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a running service."""

    database: Database
    network: RoadNetwork
    bus: Bus
    settings: Settings
    world: World

    @contextmanager
    def reading(self, territory_id: UUID | None) -> Iterator[Store]:
        """A look at one territory."""
        with self.database.read() as session:
            yield Store(session, _needed(territory_id))

    @contextmanager
    def writing(self, territory_id: UUID | None) -> Iterator[Store]:
        """A change in one territory: committed first, then the bell is rung. Services do neither."""
        with self.database.write() as session:
            yield Store(session, _needed(territory_id))
        self.bus.ring(_needed(territory_id))


def _needed(territory_id: UUID | None) -> UUID:
    if territory_id is None:
        raise Refused("An admin's key belongs to no territory: use a key of the territory.")
    return territory_id


def get_parts(request: Request) -> Parts:
    """Of the running application."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(get_parts)]
