"""What every request works with, and the two ways into the database. Built once by whoever starts the application."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Request

from dispatch.engine.bus import Bus, LocalBus
from dispatch.engine.live import Live
from dispatch.engine.throttle import Throttle
from dispatch.errors import BadInput, Fault, Refused, pointer_of
from dispatch.health import Health
from dispatch.service.day_map import WayLines
from dispatch.service.keys import Caller
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.world import World
from routing.basemap import BaseMap
from routing.network import RoadNetwork
from routing.places import PlaceSearch

MOST_STREAMS = 400  # half of the connections that `api.server` takes: the other half is for calls


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a running service."""

    database: Database
    network: RoadNetwork
    bus: Bus
    settings: Settings
    world: World
    geocoder: PlaceSearch = field(default_factory=PlaceSearch)
    base_map: BaseMap | None = None
    changes: Bus = field(default_factory=LocalBus)  # rings after commits

    def __post_init__(self) -> None:
        self.database.announce = self.changes.ring

    demo: bool = False  # everybody in it is invented, and anybody may enter as anybody

    @cached_property
    def health(self) -> Health:
        """Whether all of it works."""
        return Health(self.database, self.bus, roads=self.network.version)

    @cached_property
    def live(self) -> Live:
        """What happens, for those who watch."""
        return Live(self.database, self.changes, self.settings.live_clients, MOST_STREAMS)

    @cached_property
    def way_lines(self) -> WayLines:
        """The lines that runs are drawn as."""
        return WayLines(self.network)

    @cached_property
    def throttle(self) -> Throttle:
        """How often somebody may call."""
        return Throttle(self.settings.redis_url)

    @contextmanager
    def reading(self, territory_id: UUID | None) -> Iterator[Store]:
        """A look at one territory."""
        with self.database.read() as session:
            yield Store(session, _needed(territory_id))

    @contextmanager
    def writing(self, territory_id: UUID | None, actor_id: UUID) -> Iterator[Store]:
        """A change in one territory, by somebody: committed first, then the bell is rung. Services do neither."""
        with self.database.write() as session:
            yield Store(session, _needed(territory_id), actor_id)
        self.bus.ring(_needed(territory_id))

    def note_read(
        self, caller: Caller, kind: str, subject_id: UUID | None, count: int = 1, act: Literal["read", "copied"] = "read"
    ) -> None:
        """Put a look at people's data on record, before the answer leaves. A list of nobody is no look."""
        if count:
            with self.database.write() as session:
                Store(session, _needed(caller.territory_id), caller.actor_id).note_access(act, kind, subject_id, count, self.world)


def _needed(territory_id: UUID | None) -> UUID:
    if territory_id is None:
        raise Refused("An admin's key belongs to no territory: use a key of the territory.")
    return territory_id


def refuse_stray_query(request: Request) -> None:
    """BadInput for parameters of an address that takes none; those that take some look at them themselves."""
    if request.query_params and not request.scope["route"].dependant.query_params:
        raise BadInput([Fault(pointer_of([name]), "extra_forbidden", "is not a known field") for name in request.query_params])


def get_parts(request: Request) -> Parts:
    """Of the running application."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(get_parts)]


def get_language(request: Request) -> str:
    """As the caller's `Accept-Language` says; nothing where there is none."""
    return request.headers.get("accept-language", "")


LanguageOf = Annotated[str, Depends(get_language)]
