"""From settings to a listening server. Called by `allons serve` and `allons demo`."""

import socket
from contextlib import suppress

import uvicorn

from api.app import create_app
from api.deps import Parts
from dispatch.engine.bus import LocalBus, RedisBus
from dispatch.errors import BadInput, Fault, NotReady
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.world import World
from routing.saved import open_roads


def open_parts(settings: Settings, world: World) -> Parts:
    """Open what the settings name. BadInput, NotReady or RoutingError when something is not there: before anybody connects."""
    if settings.roads is None:
        raise BadInput([Fault("ALLONS_ROADS", "missing", "say which road network to use, such as ALLONS_ROADS=tarn.roads")])
    network = open_roads(settings.roads)
    database = Database(settings.database_url)
    try:
        database.check_ready()
    except NotReady:
        database.close()
        raise
    bus = RedisBus(settings.redis_url) if settings.redis_url else LocalBus()
    return Parts(database=database, network=network, bus=bus, settings=settings, world=world)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until stopped. Access is logged by `api.guard`, without values. BadInput when the address cannot be listened on."""
    parts = open_parts(settings, World())
    app = create_app(parts)
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        what = "this address or port cannot be listened on; choose another with --port N"
        parts.database.close()
        raise BadInput([Fault("--port", "unavailable", what)]) from None
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=200,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
    )
    with listening, parts.database, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
