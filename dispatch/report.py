"""A plan on a terminal: figures, runs, and who is left without, in words. Called by the command line."""

from collections.abc import Mapping
from types import MappingProxyType

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatch.model.events import Reaction
from dispatch.model.plans import Plan

_NOBODY: Mapping[str, str] = MappingProxyType({})
_WAYS = {"outbound": ("aller", "there"), "return": ("retour", "back")}
_LABELS = (
    ("Trajets demandés · legs", "legs"),
    ("Servis · served", "served"),
    ("Sans conducteur · unserved", "unserved"),
    ("Kilomètres · km", "km_total"),
    ("dont à vide · km empty", "km_empty"),
    ("Attente · wait (min)", "wait_minutes"),
    ("Infractions · violations", "violations"),
)


def print_plan(
    screen: Console, plan: Plan, seconds: Mapping[str, float], lang: str, note: str = "", names: Mapping[str, str] = _NOBODY
) -> None:
    """Print the figures, one line per run, every unserved leg with its reason and what to ask for; ids by `names` where they have one."""
    if note:
        screen.print(Text(note, style="italic"))
    if plan.runs:
        screen.print(_runs(plan, names))
    if plan.unserved:
        screen.print(_unserved(plan, lang, names))
    for remark in plan.notes:
        screen.print(Text(f"{remark.subject} : {remark.sentence if lang == 'fr' else remark.sentence_en}", style="yellow"))
    screen.print(_figures(plan))
    if seconds:
        screen.print(Text(" · ".join(f"{step} {spent:.2f} s" for step, spent in seconds.items()), style="dim"))


def print_reaction(screen: Console, reaction: Reaction, lang: str) -> None:
    """One row per proposal, the best first, and under it everybody who is touched."""
    table = Table(title="Propositions · proposals", title_justify="left", show_lines=True)
    for name in ("n°", "ce qui change" if lang == "fr" else "what changes", "km"):
        table.add_column(name, justify="right" if name == "km" else "left")
    for k, proposal in enumerate(reaction.proposals, 1):
        told = [proposal.sentence if lang == "fr" else proposal.sentence_en]
        told += [f"+ {leg} : {_driver_of(proposal.plan, leg)}" for leg in proposal.served]
        told += [f"- {leg}" for leg in proposal.without]
        told += [f"~ {t.request}/{t.leg} : {t.sentence if lang == 'fr' else t.sentence_en}" for t in proposal.touched if t.after]
        table.add_row(str(k), Text("\n".join(told)), f"{proposal.km:+.1f}")
    screen.print(table)


def _driver_of(plan: Plan, leg_id: str) -> str:
    return next((run.driver for run in plan.runs for leg in run.legs if f"{leg.request}/{leg.leg}" == leg_id), "")


def _figures(plan: Plan) -> Table:
    table = Table(title=f"{plan.date:%d/%m/%Y}", show_header=False, title_justify="left")
    for label, name in _LABELS:
        value = getattr(plan.summary, name)
        table.add_row(label, f"{value:,.1f}".replace(",", " ") if isinstance(value, float) else str(value))
    proof = plan.summary.certificate
    if proof.gap is not None:
        held = "" if proof.legs_together is None else f" (≤ {proof.legs_together} trajets enchaînés · rides together)"
        table.add_row("Écart prouvé · certified gap", f"≤ {100 * proof.gap:.2f} %{held}")
    return table


def _runs(plan: Plan, names: Mapping[str, str]) -> Table:
    table = Table(title="Tournées · runs", title_justify="left")
    for name in ("bénévole", "départ", "retour", "trajets", "km", "à vide"):
        table.add_column(name, justify="left" if name == "bénévole" else "right")
    for run in plan.runs:
        figures = (str(len(run.legs)), f"{run.km:.1f}", f"{run.km_empty:.1f}")
        table.add_row(Text(names.get(run.driver, run.driver)), f"{run.leaves_home:%H:%M}", f"{run.back_home:%H:%M}", *figures)
    return table


def _unserved(plan: Plan, lang: str, names: Mapping[str, str]) -> Table:
    table = Table(title="Sans conducteur · unserved", title_justify="left")
    for name in ("trajet", "motif", "pourquoi" if lang == "fr" else "why"):
        table.add_column(name)
    for leg in plan.unserved:
        way = _WAYS[leg.leg][0 if lang == "fr" else 1]
        told = f"{names[leg.request]}, {way}" if leg.request in names else leg.id
        why = Text(leg.sentence if lang == "fr" else leg.sentence_en)
        if change := leg.smallest_change:
            asked = change.sentence if lang == "fr" else change.sentence_en
            named = asked.replace(change.driver, names.get(change.driver, change.driver)) if change.driver else asked
            why.append(f"\n{named}", style="green")
        table.add_row(Text(told), leg.reason, why)
    return table
