"""The command `allons`: one function per subcommand, each a thin way into a room.

Bad input ends with one clear sentence on stderr and exit code 2; a plan that breaks a rule ends `allons check` with 1.
"""

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from dispatch.cli_accounts import accounts_app
from dispatch.cli_audit import add_audit_commands
from dispatch.cli_import import import_command
from dispatch.cli_service import add_commands
from dispatch.cli_simulate import simulate_command
from dispatch.errors import BadInput, DispatchError, Fault
from routing.cli import app as roads_app
from routing.errors import RoutingError

if TYPE_CHECKING:
    from rich.status import Status

    from routing.network import RoadNetwork

app = typer.Typer(help="Allons: rides for people who need one.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(roads_app, name="roads")
add_commands(app)
add_audit_commands(app)
app.add_typer(accounts_app, name="accounts")
app.command("import")(import_command)
app.command("simulate")(simulate_command)

DayFile = Annotated[Path, typer.Argument(metavar="DAY.json", help="A day in the format of docs/day-format.md.")]
Roads = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Made by `allons roads build`, or an extract. Default: the only *.roads file of this folder."),
]
Lang = Annotated[Literal["fr", "en"], typer.Option(help="Language of sentences: fr or en.")]


@app.command("plan")
def plan_command(
    day_file: DayFile,
    roads: Roads = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=86_400, help="Wall clock for solving.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Same day, seed and iterations: same bytes.")] = 1,
    iterations: Annotated[int | None, typer.Option(min=0, max=10**9, help="A budget instead of seconds, reproducible.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the plan here; - for standard output.")] = None,
    lang: Lang = "fr",
) -> None:
    """Assign volunteers to the people of a day."""
    from dispatch.engine.plan_day import plan_day
    from dispatch.files import load_day, write_text
    from dispatch.planning.solve import SolveParams
    from dispatch.report import print_plan

    day = load_day(day_file)
    network = _open_roads(roads)
    screen = Console(stderr=json_out == Path("-"))
    with _waiting("Planification"):
        planned = plan_day(day, network, SolveParams(seconds=seconds, iterations=iterations, seed=seed))
    text = planned.plan.model_dump_json(indent=1) + "\n"
    if json_out == Path("-"):
        sys.stdout.write(text)
    elif json_out is not None:
        write_text(json_out, text)
    print_plan(screen, planned.plan, planned.seconds, lang, network.note)
    if planned.ended != "done":
        Console(stderr=True).print(f"The solving process was {planned.ended}; this is the last legal plan it handed over.")
    for violation in planned.violations:
        Console(stderr=True).print(f"{violation.where}: {violation.sentence} ({violation.code})")
    raise typer.Exit(1 if planned.violations else 0)


@app.command("check")
def check_command(
    day_file: DayFile,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="A plan, made by anything.")],
    roads: Roads = None,
) -> None:
    """Prove a plan against its day and the roads; says every broken rule."""
    from dispatch.engine.plan_day import make_problem
    from dispatch.files import load_day, load_plan
    from dispatch.planning.check import check_plan

    day, plan = load_day(day_file), load_plan(plan_file)
    problem, _ = make_problem(day, _open_roads(roads))
    violations = check_plan(problem, plan)
    screen = Console()
    for violation in violations:
        screen.print(f"{violation.where}: {violation.sentence} ({violation.code})", markup=False)
    screen.print(f"Violations: {len(violations)}", markup=False)
    raise typer.Exit(1 if violations else 0)


@app.command("change")
def change_command(
    day_file: DayFile,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="The plan people were told.")],
    roads: Roads = None,
    new: Annotated[Path | None, typer.Option(metavar="REQUEST.json", help="Somebody asks for a ride.")] = None,
    cancel: Annotated[str | None, typer.Option(metavar="ID[/WAY]", help="Called off: r12, r12/outbound or r12/return.")] = None,
    no_show: Annotated[str | None, typer.Option(metavar="ID/WAY", help="Nobody was at the door.")] = None,
    late: Annotated[str | None, typer.Option(metavar="DRIVER=MINUTES", help="A volunteer is late.")] = None,
    gone: Annotated[str | None, typer.Option(metavar="DRIVER", help="A volunteer cannot drive any more today.")] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="The day after and all proposals; - for standard output.")
    ] = None,
    lang: Lang = "fr",
) -> None:
    """Something has happened today: propose how to go on, and say who is touched. Nothing is changed."""
    from dispatch.engine.react import react
    from dispatch.files import load_day, load_event, load_plan, write_text
    from dispatch.report import print_reaction

    event = load_event(new=new, cancel=cancel, no_show=no_show, late=late, gone=gone)
    reaction = react(load_day(day_file), load_plan(plan_file), event, _open_roads(roads))
    text = reaction.model_dump_json(indent=1) + "\n"
    if json_out == Path("-"):
        sys.stdout.write(text)
    elif json_out is not None:
        write_text(json_out, text)
    print_reaction(Console(stderr=json_out == Path("-")), reaction, lang)


@app.command("sample-day")
def sample_day_command(
    roads: Roads = None,
    legs: Annotated[int, typer.Option(min=0, max=50_000)] = 60,
    drivers: Annotated[int, typer.Option(min=0, max=20_000)] = 20,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    date: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: 2026-11-24.")] = None,
    out: Annotated[Path | None, typer.Option(help="Default: standard output.")] = None,
) -> None:
    """Invent a realistic day on any road network."""
    from dispatch.files import write_text
    from dispatch.service.sample import make_sample_day

    day = make_sample_day(_open_roads(roads), legs=legs, drivers=drivers, seed=seed, day=(date or dt.datetime(2026, 11, 24)).date())  # noqa: DTZ001
    text = day.model_dump_json(indent=1, exclude_defaults=True) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)


@app.command("schema")
def schema_command(noun: Annotated[str, typer.Argument(help="day or plan")]) -> None:
    """Print the JSON Schema of a format."""
    from dispatch.schemas import schema_text

    if noun not in ("day", "plan"):
        raise BadInput([Fault("schema", "unknown", "give day or plan")])
    sys.stdout.write(schema_text(noun))


def _open_roads(path: Path | None) -> "RoadNetwork":
    """Open the given network, or the only one of this folder."""
    from routing.saved import open_roads

    if path is None:
        found = sorted(Path().glob("*.roads"))
        if len(found) != 1:
            what = "several *.roads files are" if found else "no *.roads file is"
            raise BadInput([Fault("--roads", "missing", f"{what} in this folder: say which network with --roads FILE")])
        path = found[0]
    return open_roads(path)


def _waiting(what: str) -> "Status":
    return Console(stderr=True).status(f"{what}…")


def main() -> None:
    """Run the command; known errors become one sentence, what to do next, and exit code 2."""
    try:
        app()
    except (DispatchError, RoutingError) as error:
        screen = Console(stderr=True, highlight=False, soft_wrap=True)
        screen.print(str(error), markup=False)
        screen.print(error.action, markup=False, style="dim")
        sys.exit(2)


if __name__ == "__main__":
    main()
