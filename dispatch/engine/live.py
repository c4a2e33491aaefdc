"""Those who watch a territory are told of every step in it, soon after it was committed: each once, in order, also after a break.

In: a database, and the bell that rings after commits. Out: steps for `Watcher`s. One thread per process reads the log of the territories
that somebody watches: when the bell rings, and every second in case it was not heard. The log is the truth; what is kept here are the last
steps, once per territory and however many watch. Whoever has fallen behind those is told to read everything anew. Called by the API.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

import structlog

from dispatch.engine.bus import Bus
from dispatch.errors import DispatchError, NotReady, TooMany
from dispatch.storage.database import Database
from dispatch.storage.live import LATE, Step
from dispatch.storage.store import Store

log = structlog.get_logger()
KEPT = 2000  # steps of a territory: several large rounds
AGAIN_S = 1.0  # the log is looked at so often although nothing rang
SOON_S = 0.03  # and after so long when a transaction that began before is still to end
START = "0"  # what a watcher has last seen who has seen nothing
News = Literal["change", "ready", "reload"]
Order = tuple[object, ...]
_FIRST: Order = (-1,)  # before every step


@dataclass(frozen=True, slots=True)
class Message:
    """`change`: a step. `ready`, `reload`: what was read before may be old, from here on nothing is missed. `seen`: to go on behind."""

    news: News
    seen: str
    step: Step | None = None


@dataclass(eq=False)
class Watcher:
    """Somebody who watches a territory. `wake` is called from another thread when there may be something new."""

    territory_id: UUID
    last: Order = _FIRST  # of the step that was told last
    first: list[Message] = field(default_factory=list)  # what is to be told before anything else
    wake: Callable[[], None] = field(default=lambda: None)


@dataclass(eq=False)
class _Feed:
    end: int  # every step before this place was read
    since: datetime | None  # when the newest of them was taken
    steps: list[Step] = field(default_factory=list)
    forgotten: Order = _FIRST  # the last step that is not kept any more
    watchers: set[Watcher] = field(default_factory=set)


class Live:
    """What happens, for all who watch in this process: at most `most` in a territory, and `most_here` at all."""

    def __init__(self, database: Database, bell: Bus, most: int, most_here: int) -> None:
        self._database, self._bell, self._most, self._most_here = database, bell, most, most_here
        self._feeds: dict[UUID, _Feed] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def closed(self) -> bool:
        """Nobody is told anything any more."""
        return self._closed.is_set()

    def __len__(self) -> int:
        return sum(len(feed.watchers) for feed in self._feeds.values())

    def watch(self, territory_id: UUID, seen: str | None = None) -> Watcher:
        """From now on, or behind the step that was seen last. TooMany, NotReady when nobody more is taken.

        A step that is not of this territory, or too long ago, is answered as nothing seen, with a `reload`.
        """
        with self._database.read() as session:
            store = Store(session, territory_id)
            end = store.steps_end()
            newest, known = store.newest_step(end), _step_of(store, seen)
        watcher, upto = self._enter(territory_id, end, newest)
        try:
            if known is None and seen != START:
                self._begin(watcher, "ready" if seen is None else "reload", newest)
            else:
                self._catch_up(watcher, upto, known, newest)
        except BaseException:
            self.leave(watcher)
            raise
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Somebody has gone; a territory that nobody watches is not read any more."""
        with self._lock:
            feed = self._feeds.get(watcher.territory_id)
            if feed is not None:
                feed.watchers.discard(watcher)
                if not feed.watchers:
                    del self._feeds[watcher.territory_id]

    def news(self, watcher: Watcher) -> list[Message]:
        """What is new to a watcher; does not wait."""
        told, watcher.first = watcher.first, []
        with self._lock:
            feed = self._feeds[watcher.territory_id]
            if watcher.last < feed.forgotten:
                newest = feed.steps[-1]
                watcher.last = newest.order
                return [Message("reload", str(newest.id))]
            fresh = [step for step in feed.steps if step.order > watcher.last]
        if fresh:
            watcher.last = fresh[-1].order
        return told + [Message("change", str(step.id), step) for step in fresh]

    def close(self) -> None:
        """Everybody is sent away, at once."""
        self._closed.set()
        self._bell.close()
        with self._lock:
            watchers = [watcher for feed in self._feeds.values() for watcher in feed.watchers]
        for watcher in watchers:
            watcher.wake()

    def _enter(self, territory_id: UUID, end: int, newest: Step | None) -> tuple[Watcher, int]:
        """A new watcher, and the place up to which the feed had read when they came."""
        with self._lock:
            if self.closed or len(self) >= self._most_here:
                raise NotReady("This process serves no more streams at the moment.")
            feed = self._feeds.get(territory_id)
            if feed is not None and len(feed.watchers) >= self._most:
                raise TooMany("Too many watch this territory at once.", 30)
            if feed is None:
                feed = self._feeds[territory_id] = _Feed(end, newest.at if newest else None)
            watcher = Watcher(territory_id)
            feed.watchers.add(watcher)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
            return watcher, feed.end

    def _begin(self, watcher: Watcher, news: News, newest: Step | None) -> None:
        watcher.last = newest.order if newest else _FIRST
        watcher.first = [Message(news, str(newest.id) if newest else START)]

    def _catch_up(self, watcher: Watcher, upto: int, known: Step | None, newest: Step | None) -> None:
        """Steps behind the one that was seen; those from `upto` on come from the feed."""
        with self._database.read() as session:
            since = known.at - LATE if known else None
            steps = Store(session, watcher.territory_id).steps_from(known.place if known else 0, upto, since, KEPT + 1)
        if len(steps) > KEPT:
            self._begin(watcher, "reload", newest)
            return
        missed = [step for step in steps if known is None or step.order > known.order]
        watcher.first = [Message("change", str(step.id), step) for step in missed]
        watcher.last = missed[-1].order if missed else known.order if known else _FIRST

    def _run(self) -> None:
        """While somebody watches: read what is new in every such territory, and wake who does."""
        late, all_at = False, 0.0
        while True:
            rung = self._bell.wait(SOON_S if late else AGAIN_S)
            with self._lock:
                feeds = dict(self._feeds)
                if self.closed or not feeds:
                    self._thread = None
                    return
            everything = late or time.monotonic() > all_at + AGAIN_S
            all_at, late = time.monotonic() if everything else all_at, False
            for territory_id in feeds if everything else feeds.keys() & rung:
                try:
                    late |= self._read(territory_id, feeds[territory_id])
                except DispatchError as error:  # the database is away: it is looked at again
                    log.warning("live", ended=error.code)
                except Exception as error:
                    log.error("live", kind=type(error).__name__)

    def _read(self, territory_id: UUID, feed: _Feed) -> bool:
        """Read on. True when there are steps that have to wait for a transaction which began before them."""
        with self._database.read() as session:
            store = Store(session, territory_id)
            end = store.steps_end()
            found = store.steps_from(feed.end, None, feed.since - LATE if feed.since else None, KEPT + 1)
            newest = store.newest_step(end) if len(found) > KEPT else None
        fresh = [newest] if newest else sorted((step for step in found if step.place < end), key=lambda step: step.order)
        with self._lock:
            kept = [*feed.steps, *fresh]
            gone = kept[:-1] if newest else kept[:-KEPT]  # so many at once are told to nobody one by one
            feed.end, feed.steps = end, kept[len(gone) :]
            if gone or newest:
                feed.forgotten = newest.order if newest else gone[-1].order
            feed.since = max((step.at for step in fresh), default=feed.since)
            watchers = list(feed.watchers) if fresh else []
        for watcher in watchers:
            watcher.wake()
        return not newest and len(found) > len(fresh)


def _step_of(store: Store, seen: str | None) -> Step | None:
    """What was seen last; none for what is no id of a step of this territory."""
    try:
        return store.step(UUID(seen)) if seen else None
    except ValueError:
        return None
