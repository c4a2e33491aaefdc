"""The subcommand that plays a month of a platform: what if there were more demand, or more volunteers. Mounted by `dispatch.cli`."""

import datetime as dt
import importlib
import json
import logging
import tempfile
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console
from rich.table import Table

from dispatch.errors import BadInput, Fault

START = dt.date(2026, 10, 12)  # a month with a night of 25 hours and a public holiday in it


def simulate_command(
    days: Annotated[int, typer.Option(min=1, max=366, help="How long.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Same seed and wishes: same month.")] = 1,
    demand: Annotated[float, typer.Option(min=0, max=100, help="Times the usual demand.")] = 1.0,
    volunteers: Annotated[str, typer.Option(help="More or fewer of them than usual, such as +10 or -3.")] = "+0",
    start: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The first day.")] = START.isoformat(),
    roads: Annotated[Path | None, typer.Option(metavar="FILE", help="A road network; the fictional one of the demo when absent.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the figures here.")] = None,
) -> None:
    """Play a month of a platform through its HTTP API, on a clock of its own. Ends with 1 when something does not hold."""
    from dispatch.cli_service import demo_roads
    from dispatch.files import write_text
    from routing.saved import open_roads

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # of what is invented nobody wants a log
    asked = {"days": days, "seed": seed, "demand": demand, "volunteers": _more(volunteers), "start": _day(start)}
    simulation: Any = importlib.import_module("api.simulation.month")  # the HTTP room is above this one and is opened by name
    with tempfile.TemporaryDirectory() as folder:
        network = open_roads(roads) if roads else demo_roads(Path(folder))
        with Console(stderr=True).status("…") as status:
            figures = simulation.simulate(network, simulation.Wishes(**asked), lambda day: status.update(f"{day}"))
    if json_out is not None:
        write_text(json_out, json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    _print(figures)
    raise typer.Exit(1 if figures["complaints"] else 0)


def _more(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadInput([Fault("--volunteers", "invalid", "must be a number such as +10 or -3")]) from None


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInput([Fault("--start", "invalid", "must be a day such as 2026-10-12")]) from None


def _print(figures: dict[str, Any]) -> None:
    """Groups of figures, and what does not hold."""
    screen = Console(highlight=False)
    for group in ("requests", "ways", "counted"):
        table = Table("", group, box=None, pad_edge=False)
        for name, count in figures[group].items():
            table.add_row(name.replace("_", " "), f"{count:,}")
        screen.print(table)
    if figures["served_share"] is not None:
        screen.print(f"served: {figures['served_share']:.1%} of the ways that were wanted to the end")
    for sentence in figures["complaints"]:
        screen.print(sentence, style="red", markup=False)
