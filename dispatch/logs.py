"""One line of JSON per event on stderr. Events carry ids of rounds and requests, counts and durations; never names, places or texts."""

import logging
import sys
from contextlib import suppress

import structlog


class _Stderr:
    """Writes to whatever stderr is at that moment. A log that cannot be written (a pipe that was closed) never stops the work."""

    def __init__(self, *_: object) -> None: ...

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)  # noqa: T201

    debug = info = warning = error = critical = exception = msg


def configure_logs(*, quiet: bool = False) -> None:
    """Set up structlog for a process. `quiet` leaves warnings and errors only."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=_Stderr,
        cache_logger_on_first_use=False,
    )
