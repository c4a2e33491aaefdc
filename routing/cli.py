"""`allons roads`: build, inspect and fetch road networks. Mounted by `dispatch.cli`, which turns known errors into exit code 2."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

if TYPE_CHECKING:
    from routing.osm import Progress as Tell

app = typer.Typer(help="Road networks: build one from an extract, look at it, fetch one by name.", no_args_is_help=True)
ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"

Out = Annotated[Path | None, typer.Option(metavar="FILE.roads", help="Default: the extract's or place's name in this folder.")]


@app.command()
def build(extract: Annotated[Path, typer.Argument(metavar="FILE.osm.pbf")], out: Out = None) -> None:
    """Build a network, an index of its places and a base map, from an OpenStreetMap extract (.osm.pbf, .osm, .osm.gz, .osm.bz2)."""
    from routing.confined import load_extract_confined
    from routing.network import build_network
    from routing.saved import save_network

    with progress_bar() as tell:
        network = build_network(load_extract_confined(extract, tell), tell)
    target = out or Path(f"{extract.name.partition('.osm')[0]}.roads")
    save_network(network, target)
    build_places(extract, target)
    build_map(extract, target)
    _print_info(target)


@app.command(name="map")
def map_only(
    extract: Annotated[Path, typer.Argument(metavar="FILE.osm.pbf")], roads: Annotated[Path, typer.Argument(metavar="FILE.roads")]
) -> None:
    """Make only the base map, beside a network that is there already."""
    from routing.basemap import map_beside
    from routing.confined import write_map_confined

    with progress_bar() as tell:
        write_map_confined(extract, map_beside(roads), tell)
    typer.echo(_describe_map(roads))


def build_map(extract: Path, roads: Path) -> None:
    """Make the base map beside a network; say so and go on when that cannot be: roads are of use without."""
    from routing.basemap import map_beside
    from routing.confined import write_map_confined
    from routing.errors import BadExtract, BadMap

    with progress_bar() as tell:
        try:
            write_map_confined(extract, map_beside(roads), tell)
        except (BadExtract, BadMap) as error:
            typer.echo(f"{error}\nThe network was built; maps show no roads beneath.", err=True)


def build_places(extract: Path, roads: Path) -> None:
    """Make the index of places beside a network; say so and go on when that cannot be: roads are of use without."""
    from routing.confined import write_places_confined
    from routing.errors import BadPlaces
    from routing.places import beside

    with progress_bar() as tell:
        try:
            write_places_confined(extract, beside(roads), tell)
        except BadPlaces as error:
            typer.echo(f"{error}\nThe network was built; places cannot be searched by their names.", err=True)


@app.command()
def place(name: Annotated[str, typer.Argument(help='Such as "Andorra".')], out: Out = None) -> None:
    """Fetch the roads of a named place (needs the internet) and build a network."""
    from routing.network import build_network
    from routing.place import load_place
    from routing.saved import save_network

    with progress_bar() as tell:
        network = build_network(load_place(name, tell), tell)
    letters = "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")
    target = out or Path(f"{letters or 'place'}.roads")
    save_network(network, target)
    _print_info(target)


@app.command()
def calibrate(
    file: Annotated[Path, typer.Argument(metavar="FILE.roads")],
    trips: Annotated[Path, typer.Argument(metavar="TRIPS.csv", help="Columns from_lon, from_lat, to_lon, to_lat, seconds.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.roads", help="Save the calibrated network here; without it, only report.")
    ] = None,
) -> None:
    """Fit the speeds of each class of road to observed trips, and say what that changes."""
    from routing.calibrate import calibrate as fit
    from routing.calibrate import read_trips
    from routing.saved import load_network, save_network

    found = fit(load_network(file), read_trips(trips))
    screen = Console()
    table = Table("road", "share of the trips' time", "durations times", title=f"{trips.name} on {file.name}", title_justify="left")
    for name, share in found.share.items():
        if share > 0:
            table.add_row(name, f"{share:.1%}", f"{found.factors[name]:.2f}")
    screen.print(table)
    screen.print(f"On {found.before.trips} trips that were not fitted to, the network's time differs from the observed one by")
    for when, error in (("before", found.before), ("after", found.after)):
        screen.print(f"  {when}: typically {error.typical:.1%}, on average {error.bias:+.1%}")
    for reason, count in found.left_out.items():
        screen.print(f"Left out, {reason}: {count}")
    if out is not None:
        save_network(found.network, out)
        screen.print(f"Saved as {out}.")


@app.command()
def info(file: Annotated[Path, typer.Argument(metavar="FILE.roads")]) -> None:
    """Say what a saved network holds."""
    _print_info(file)


def _print_info(path: Path) -> None:
    from routing.saved import load_network

    network = load_network(path, verify=True)
    west, south, east, north = network.bounds
    table = Table(title=path.name, show_header=False, title_justify="left")
    by_class = network.km_by_class()
    rows = (
        ("source", f"{network.source} ({network.data_date or 'no date'})"),
        ("note", network.note),
        ("bounds (lon, lat)", f"{west:.4f}, {south:.4f} – {east:.4f}, {north:.4f}"),
        ("junctions, edges", f"{len(network.node_lon):,}, {len(network.metres):,}"),
        ("road", f"{sum(by_class.values()):,.0f} km"),
        *((f"  {name}", f"{km:,.1f} km") for name, km in by_class.items()),
        ("only at the ends of a journey", f"{network.metres[network.end_only].sum() / 1000:,.1f} km"),
        ("left out: not connected both ways", f"{network.dropped_share:.1%} of the length"),
        ("turns that may not be made", str(len(network.banned))),
        *((f"  restrictions left out: {why}", str(count)) for why, count in network.rules_left_out.items()),
        *(
            (f"  {name} calibrated", f"{factor:.2f} times the table's durations")
            for name, factor in network.slowness.items()
            if factor != 1
        ),
        ("places", str(len(network.places))),
        ("version", network.version),
        ("size", f"{path.stat().st_size / 1e6:.1f} MB"),
        ("index of places", _describe_places(path)),
        ("base map", _describe_map(path)),
        ("times", "free-flow: no traffic, no weather"),
        ("licence", ATTRIBUTION),
    )
    for name, value in rows:
        if value:
            table.add_row(name, value)
    Console().print(table)


def _describe_places(roads: Path) -> str:
    """What the index beside a network holds."""
    from routing.errors import BadPlaces
    from routing.places import LocalIndex, beside

    path = beside(roads)
    if not path.exists():
        return "none"
    try:
        index = LocalIndex(path)
    except BadPlaces as error:
        return str(error)
    index.close()
    return f"{path.name}: {index.entries:,} entries, {index.streets:,} of them streets, {index.houses:,} house numbers"


def _describe_map(roads: Path) -> str:
    """What the base map beside a network holds."""
    from routing.basemap import BaseMap, map_beside
    from routing.errors import BadMap

    path = map_beside(roads)
    if not path.exists():
        return "none"
    try:
        base = BaseMap(path)
    except BadMap as error:
        return str(error)
    base.close()
    return f"{path.name}: {base.count:,} tiles, {path.stat().st_size / 1e6:.1f} MB"


@contextmanager
def progress_bar() -> Iterator["Tell"]:
    """A bar on stderr, fed with shares of one step after the other."""
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("roads", total=1.0)
        yield lambda done, what: bar.update(task, completed=done, description=what)
