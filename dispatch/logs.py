"""One line of JSON per event on stderr. Events carry ids of rounds and requests, counts and durations; never names, places or texts."""

import logging
import sys

import structlog


def configure_logs(*, quiet: bool = False) -> None:
    """Set up structlog for a process. `quiet` leaves warnings and errors only."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
