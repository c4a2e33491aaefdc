"""From settings to a listening server. Called by `allons serve` and `allons demo`."""

import asyncio
import gc
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.app import create_app
from api.deps import Parts
from api.errors import problem
from dispatch.engine.bus import CHANGES, LocalBus, RedisBus
from dispatch.errors import BadInput, Fault, NotReady
from dispatch.health import listening
from dispatch.notices.channels import open_channels
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.world import World
from routing.basemap import BaseMap, map_beside
from routing.network import RoadNetwork
from routing.places import Ban, LocalIndex, Nominatim, PlaceSearch, beside
from routing.saved import open_roads

_MARGIN = 0.05  # degrees around the roads in which places may lie
RECEIPT_S = 10  # a request is here, whole, so long after its first byte, or its connection after being made


def open_parts(settings: Settings, world: World) -> Parts:
    """Open what the settings name. BadInput, NotReady or RoutingError when something is not there: before anybody connects."""
    if settings.roads is None:
        raise BadInput([Fault("ALLONS_ROADS", "missing", "say which road network to use, such as ALLONS_ROADS=tarn.roads")])
    open_channels(settings)  # a provider that nobody understands is told here, rather than when there is something to tell
    network = open_roads(settings.roads)
    geocoder = open_places(settings, settings.roads, network)
    base_map = open_map(settings, settings.roads)
    database = Database.of(settings)
    try:
        database.check_ready()
    except NotReady:
        database.close()
        raise
    bus = RedisBus(settings.redis_url) if settings.redis_url else LocalBus()
    changes = RedisBus(settings.redis_url, CHANGES) if settings.redis_url else LocalBus()
    return Parts(
        database=database, network=network, bus=bus, settings=settings, world=world, geocoder=geocoder, base_map=base_map, changes=changes
    )


def open_places(settings: Settings, roads: Path, network: RoadNetwork) -> PlaceSearch:
    """The index beside the roads, or the one that is set, and the services that are set.

    BadPlaces when there is a file and it is no index. Without any, each answer says that it is missing: people give points on the map.
    """
    path = settings.places or beside(roads)
    local = LocalIndex(path) if settings.places or path.exists() else None
    if local is None:
        structlog.get_logger().warning("no_places", detail="there is no index of places: build it with `allons roads build`")
    remote = [Ban(settings.ban_url)] if settings.ban_url else []
    more = [Nominatim(settings.nominatim_url)] if settings.nominatim_url else []
    west, south, east, north = network.bounds
    return PlaceSearch(local, [*remote, *more], within=(west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN))


def open_map(settings: Settings, roads: Path) -> BaseMap | None:
    """The base map beside the roads, or the one that is set. BadMap when there is a file and it is none."""
    path = settings.base_map or map_beside(roads)
    if settings.base_map or path.exists():
        return BaseMap(path)
    if settings.map_style is None:
        structlog.get_logger().warning("no_map", detail="there is no base map: build it with `allons roads map`")
    return None


def serve(settings: Settings, host: str, port: int, *, demo: bool = False) -> None:
    """Serve until stopped. Access is logged by `api.guard`, without values. BadInput when the address cannot be listened on.

    `demo`: anybody may enter as anybody, so that it listens on this machine only.
    """
    if demo and host not in ("127.0.0.1", "localhost"):
        raise BadInput([Fault("--host", "invalid", "the demo lets everybody in: it is for this machine only")])
    parts = replace(open_parts(settings, World()), demo=demo)
    app = create_app(parts)
    try:
        own = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        what = "this address or port cannot be listened on; choose another with --port N"
        parts.database.close()
        raise BadInput([Fault("--port", "unavailable", what)]) from None
    config = uvicorn.Config(
        app,
        http=_ImpatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies,
        limit_concurrency=800,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
    )
    gc.freeze()  # what is there now stays until the end: not to be looked through again at every large answer
    with own, parts.database, listening(settings, parts.health), suppress(KeyboardInterrupt):
        _Server(config, parts).run(sockets=[own])


class _Server(uvicorn.Server):
    """Tells whoever looks after it that it will stop, before it takes no more calls; ends streams rather than wait for their end."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._health, self._live = parts.health, parts.live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """In the loop, within a tenth of a second after being asked to stop."""
        self._live.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops as asked and ends well: uvicorn's own would raise the signal again at the end. The second Ctrl-C does not wait."""
        self._health.stopping = True
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


class _ImpatientProtocol(H11Protocol):
    """Lets go of who sends too slowly, so that a few hundred of them do not keep everybody else out; uvicorn has no such limit."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._arm()

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE:
            self._arm()
        super().data_received(data)
        if self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR):
            self._disarm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told in the same form as everything else, with the status that fits."""
        error = sys.exception()
        too_long = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431
        told = problem(str(World().new_id()), "", "headers_too_large" if too_long else "unreadable", "This is no HTTP that can be read.")
        headers = [*told.raw_headers, (b"connection", b"close")]
        for event in (h11.Response(status_code=told.status_code, headers=headers), h11.Data(data=bytes(told.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(RECEIPT_S, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
