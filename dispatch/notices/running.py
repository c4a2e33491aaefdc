"""The senders as threads: people are told in one, other systems in another, so that a slow receiver holds nobody up.

In: a database and settings. Started beside the planner by the API's process, or alone by `allons sender`.
"""

from datetime import datetime, timedelta

import structlog

from dispatch.notices import sender, webhooks
from dispatch.notices.channels import open_channels
from dispatch.notices.sender import Loop
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.world import World

log = structlog.get_logger()
SWEEP_EVERY = timedelta(hours=1)


class Senders:
    """Both of them. BadInput for a provider of SMS that nobody understands."""

    def __init__(self, database: Database, settings: Settings, world: World) -> None:
        self._database, self._settings, self._world = database, settings, world
        self._channels = open_channels(settings)
        self._swept_at: datetime | None = None
        if "log" in self._channels:
            log.warning("notices", channel="log", hint="nobody is told anything: set ALLONS_SMTP_URL or ALLONS_SMS_URL")
        every = settings.sender_seconds
        self._loops = (Loop("notices", self.tell_people, every), Loop("webhooks", self.tell_systems, every))

    def tell_people(self) -> int:
        """One turn; how many notices were settled."""
        done = sender.send_due(self._database, self._channels, self._world, public_url=self._settings.public_url or "")
        if self._swept_at is None or self._world.now() > self._swept_at + SWEEP_EVERY:
            sender.sweep(self._database, self._world)
            webhooks.sweep(self._database, self._world)
            self._swept_at = self._world.now()
        return done

    def tell_systems(self) -> int:
        """One turn; how many tries were made."""
        return webhooks.deliver_due(self._database, self._world, loopback=self._settings.webhooks_to_loopback)

    def start(self) -> None:
        """Each in its thread."""
        for loop in self._loops:
            loop.start()

    def ask_to_stop(self) -> None:
        """After what is being sent."""
        for loop in self._loops:
            loop.ask_to_stop()

    def stop(self) -> None:
        """And wait a little."""
        self.ask_to_stop()
        for loop in self._loops:
            loop.stop()

    def run(self) -> None:
        """Until stopped: other systems from a thread, people from this one."""
        self._loops[1].start()
        try:
            self._loops[0].run()
        finally:
            self.stop()
