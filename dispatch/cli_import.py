"""The subcommand that imports a sheet on the machine itself: the same way in as over HTTP. Mounted by `dispatch.cli`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.console import Console

from dispatch.cli_service import load_settings, territory_called, writing
from dispatch.errors import BadInput, Fault
from dispatch.model.sheets import SheetName

if TYPE_CHECKING:
    from dispatch.service.imports import ImportReport


def import_command(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(get_args(SheetName))}.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="As docs/sheets.md describes it.")],
    territory: Annotated[str, typer.Option(help="The territory's name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; tell what would become of each line.")] = False,
    only_good: Annotated[bool, typer.Option("--only-good", help="Write the lines that can be, although others cannot.")] = False,
) -> None:
    """Import people or requests from a CSV file. Ends with 1 when a line is bad."""
    from dispatch.service.imports import import_sheet
    from dispatch.storage.registry import Registry
    from dispatch.storage.store import Store
    from dispatch.world import World
    from routing.saved import open_roads

    name: SheetName | None = next((known for known in get_args(SheetName) if known == kind), None)
    if name is None:
        raise BadInput([Fault("KIND", "unknown", f"must be one of {', '.join(get_args(SheetName))}")])
    settings = load_settings()
    if settings.roads is None:
        raise BadInput([Fault("ALLONS_ROADS", "missing", "an import needs the road network")])
    data, network = _read(file, settings.import_kib * 1024), open_roads(settings.roads)
    with writing() as session:
        store = Store(session, territory_called(Registry(session), territory).id)
        most = settings.import_lines
        report = import_sheet(store, name, data, network, World(), most_lines=most, dry_run=dry_run, only_good=only_good)
    raise typer.Exit(_print(report))


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError:
        raise BadInput([Fault("FILE", "unreadable", "cannot be read")]) from None
    if len(data) > most:
        raise BadInput([Fault("FILE", "too_large", f"is larger than {most // 1024} KiB (ALLONS_IMPORT_KIB)")])
    return data


def _print(report: "ImportReport") -> int:
    """Every fault of every line, and what it came to; how the command ends."""
    screen = Console(highlight=False, soft_wrap=True)
    bad = [line for line in report.lines if line.faults]
    for line in bad:
        for fault in line.faults:
            screen.print(f"{line.number}: {fault.pointer or 'the line'}: {fault.sentence} ({fault.code})", markup=False)
    screen.print(f"{report.outcome}: {len(report.lines) - len(bad)} good, {len(bad)} bad")
    return 1 if bad else 0
