"""The sender: empties the outbox. What is committed is sent at least once, each person's notices in order, and never what was rolled back.

In: a database and channels. Out: what became of each notice, in its row. Claim, send and settle are three steps: a sender that is killed
between any two of them leaves a lease that ends, and the next one sends again under the same id. Several senders do no harm.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from dispatch.errors import Conflict, NotReady
from dispatch.metrics import NOTICES
from dispatch.notices.channels import Channel, LogChannel, Never, Retry
from dispatch.notices.compose import Instead, Message, compose, is_late
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.world import World

log = structlog.get_logger()
LEASE_S = 120.0  # longer than a channel's slowest try
BATCH = 100  # notices of a territory in one turn
#: After a try that did not work; when they are used up the next way is tried, and in the end somebody calls.
TRIES = tuple(timedelta(minutes=minutes) for minutes in (0.5, 2, 10, 30, 60, 180))
KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice that is ours until its lease ends."""

    territory_id: UUID
    notice_id: UUID
    token: int
    attempts: int
    refused: tuple[str, ...]
    message: Message


def send_due(database: Database, channels: Mapping[str, Channel], world: World, limit: int = BATCH, *, public_url: str = "") -> int:
    """Send everything that is due now, at most `limit` per territory; how many were settled. `public_url`: what links begin with."""
    sender = Sender(database, channels, world, public_url)
    return sum(sender.send(territory_id, limit) for territory_id in territories(database))


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends what is due in one territory after the other."""

    database: Database
    channels: Mapping[str, Channel]
    world: World
    public_url: str = ""

    def send(self, territory_id: UUID, limit: int) -> int:
        """Pass after pass: a person's second notice comes up when the first one is settled. How many were."""
        settled = 0
        while settled < limit:
            with self.database.read() as session:
                due = Store(session, territory_id).due_notices(self.world, limit - settled)
            done = sum(self._one(territory_id, notice_id) for notice_id in due)
            settled += done
            if not done:
                break
        return settled

    def _one(self, territory_id: UUID, notice_id: UUID) -> int:
        try:
            claimed = self.claim(territory_id, notice_id)
        except (NotReady, Conflict):
            raise
        except Exception as error:  # a notice that cannot be made into a message does not keep the others
            return self._postpone(territory_id, notice_id, error)
        if not isinstance(claimed, Claimed):
            return claimed
        channel = self.channels.get(claimed.message.channel) or self.channels["log"]
        try:
            provider_id = channel.send(claimed.message)
        except Never as error:
            return self.settle(claimed, self._next_way(claimed, str(error)))
        except Retry as error:
            return self.settle(claimed, self._after_failure(claimed, str(error)))
        except Exception as error:
            log.error("notice", id=str(notice_id), kind=type(error).__name__)
            return self.settle(claimed, self._after_failure(claimed, type(error).__name__))
        kept = {} if isinstance(channel, LogChannel) else {"link": None}  # whoever has the link may answer: no longer than needed
        sent = {"state": "sent", "sent_at": self.world.now(), "provider_id": (provider_id or "")[:200] or None, "failure": None, **kept}
        return self.settle(claimed, sent)

    def claim(self, territory_id: UUID, notice_id: UUID) -> Claimed | int:
        """Take a notice and make its message; or settle it at once (1) when it is for nobody or for a call; 0: another sender has it."""
        usable = {"sms", "email"} if "log" in self.channels else set(self.channels)
        with self.database.write() as session:
            store = Store(session, territory_id)
            row = store.claim_notice(notice_id, LEASE_S, self.world)
            if row is None:
                return 0
            made = compose(store, row, usable, self.world, self.public_url)
            if isinstance(made, Instead):
                ended = {"state": made.state, "failure": made.failure, "attempts": 0, "next_try_at": self.world.now()}
                store.settle_notice(row.id, row.token, **ended)
                NOTICES.labels(made.state).inc()
                return 1
            row.channel = "log" if "log" in self.channels else made.channel
            return Claimed(territory_id, row.id, row.token, row.attempts, tuple(row.refused), made)

    def settle(self, claimed: Claimed, values: Mapping[str, object]) -> int:
        """Write down what became of it; 0 when the lease ended meanwhile, and another sender has it."""
        with self.database.write() as session:
            held = Store(session, claimed.territory_id).settle_notice(claimed.notice_id, claimed.token, **values)
        NOTICES.labels(values["state"] if held else "lost").inc()
        return int(held)

    def _postpone(self, territory_id: UUID, notice_id: UUID, error: Exception) -> int:
        log.error("notice", id=str(notice_id), kind=type(error).__name__)
        with self.database.write() as session:
            store = Store(session, territory_id)
            row = store.claim_notice(notice_id, LEASE_S, self.world)
            if row is None:
                return 0
            later = self.world.now() + pause(TRIES, row.attempts, row.id)
            state = "queued" if row.attempts <= len(TRIES) else "failed"
            store.settle_notice(row.id, row.token, state=state, failure=type(error).__name__[:40], next_try_at=later)
        return 1

    def _after_failure(self, claimed: Claimed, code: str) -> dict[str, object]:
        if claimed.attempts > len(TRIES):
            return self._next_way(claimed, code)
        later = self.world.now() + pause(TRIES, claimed.attempts, claimed.notice_id)
        return {"state": "queued", "failure": code[:40], "next_try_at": later}

    def _next_way(self, claimed: Claimed, code: str) -> dict[str, object]:
        """This way has failed for good: the next turn takes another one, or leaves it to a call."""
        refused = [*claimed.refused, claimed.message.way]
        return {"state": "queued", "failure": code[:40], "refused": refused, "attempts": 0, "next_try_at": self.world.now()}


def pause(tries: Sequence[timedelta], attempts: int, what: UUID) -> timedelta:
    """Before the next try: a tenth more or less, the same each time for the same thing, so that not all come back at once."""
    share = int.from_bytes(hashlib.sha256(f"{what} {attempts}".encode()).digest()[:4]) / 2**32
    return tries[min(attempts, len(tries)) - 1] * (0.9 + 0.2 * share)


def sweep(database: Database, world: World) -> None:
    """Calls whose moment has passed are not made; what was settled a year ago is removed."""
    for territory_id in territories(database):
        with database.write() as session:
            store = Store(session, territory_id)
            for row in store.calls_to_make(world.now() + KEPT, None, 10_000):
                if is_late(row, world.now()):
                    row.state, row.failure = "dropped", "too_late"
            store.forget_notices_before(world.now() - KEPT)
            store.forget_sms_before(world.now() - KEPT)


def territories(database: Database) -> Sequence[UUID]:
    """All there are."""
    with database.read() as session:
        return [row.id for row in Registry(session).territories()]


class Loop:
    """Does something again and again in a thread of its own, until it is stopped; failures are logged and tried again."""

    def __init__(self, name: str, turn: Callable[[], int], pause_s: float) -> None:
        self._name, self._turn, self._pause_s = name, turn, pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    def run(self) -> None:
        """In the calling thread."""
        while not self._stopping.is_set():
            busy = 0
            try:
                busy = self._turn()
            except Exception as error:  # such as a database that is away: the next turn tries again
                log.error(self._name, kind=getattr(error, "code", type(error).__name__))
            if not busy:
                self._stopping.wait(self._pause_s)

    def start(self) -> None:
        """In a thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """After the present turn."""
        self._stopping.set()

    def stop(self, timeout_s: float = 2.0) -> None:
        """And wait a little; what is being sent is settled, or sent again by the next sender."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
