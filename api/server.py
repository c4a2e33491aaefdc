"""From settings to a listening server. Called by `allons serve` and `allons demo`."""

import uvicorn

from api.app import create_app
from api.deps import Parts
from dispatch.engine.bus import LocalBus, RedisBus
from dispatch.errors import BadInput, Fault
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
    database.check_ready()
    bus = RedisBus(settings.redis_url) if settings.redis_url else LocalBus()
    return Parts(database=database, network=network, bus=bus, settings=settings, world=world)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until stopped. Access is logged by `api.guard`, without values."""
    app = create_app(open_parts(settings, World()))
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=200,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
    )
