"""What the planner says to a coordinator about a choice or a change, in French and English. Called by `why` and `smallest_change`.

In: terms, or a change. Out: (French, English). No names: ids, where somebody else than the person and the chosen volunteer is meant.
"""

from collections.abc import Iterator

from dispatch.model.day import Request
from dispatch.model.plans import ChangeKind, SmallestChange, Terms

Sentence = tuple[str, str]

_KNOWS = ("connaît déjà la personne", "already knows the person")
_IS_WISHED = ("souhaité par la personne", "wished for by the person")
_SAME = ("le même à l'aller et au retour", "the same both ways")
#: Goodwill against the chosen volunteer: the term, what less of it means, what more of it means.
_COMPARED: tuple[tuple[str, Sentence, Sentence], ...] = (
    ("known", _KNOWS, ("ne connaît pas encore la personne", "does not know the person yet")),
    ("preferred", _IS_WISHED, ("n'est pas celui que la personne souhaite", "is not the one the person wishes for")),
    ("both_ways", _SAME, ("pas le même à l'aller et au retour", "not the same both ways")),
    ("load", ("moins sollicité ces quatre semaines", "less called upon over four weeks"),
             ("plus sollicité ces quatre semaines", "more called upon over four weeks")),
)  # fmt: skip


def chosen_sentence(terms: Terms, *, together: bool, alone: bool) -> Sentence:
    """Why the chosen volunteer has this way; `alone`: nobody else could take it in this plan."""
    fr, en = ("Seul bénévole possible dans ce plan", "The only volunteer who can in this plan") if alone else ("Choisi", "Chosen")
    if together:
        fr, en = f"{fr} pour l'aller et le retour", f"{en} for both ways"
    phrases = [*_amounts(terms)] or [("pas un kilomètre de plus", "not a kilometre more")]
    facts = ((terms.known, _KNOWS), (terms.preferred, _IS_WISHED), (terms.both_ways if not together else 0, _SAME))
    phrases += [phrase for term, phrase in facts if term < 0]
    return f"{fr} : {_listed(phrases, 0)}.", f"{en}: {_listed(phrases, 1)}."


def runner_up_sentence(difference: Terms) -> Sentence:
    """What would be different with this volunteer; the amounts first, in the order in which they count."""
    amounts = [*_amounts(difference)]
    if amounts:
        fr, en = amounts[0]
        phrases = [(f"{fr} que le bénévole choisi", f"{en} than the chosen volunteer"), *amounts[1:]]
    else:
        phrases = [("Autant de kilomètres que le bénévole choisi", "As many kilometres as the chosen volunteer")]
    for term, less, more in _COMPARED:
        value = getattr(difference, term)
        phrases += [less] if value < 0 else [more] if value > 0 else []
    return f"{_listed(phrases, 0)}.", f"{_listed(phrases, 1)}."


def candidate_sentence(km: float, *, known: bool, preferred: bool, recent: int) -> Sentence:
    """What asking this volunteer would mean, the rest of the plan staying as it is."""
    km = max(round(km, 1), 0.0)
    phrases = [(f"{_comma(km, 1)} km de plus", f"{km:.1f} km more") if km else ("pas un kilomètre de plus", "not a kilometre more")]
    phrases += [phrase for fact, phrase in ((known, _KNOWS), (preferred, _IS_WISHED)) if fact]
    s = "s" if recent > 1 else ""
    phrases += [(f"{recent} trajet{s} ces quatre semaines", f"{recent} ride{s} over four weeks")] if recent else []
    fr, en = _listed(phrases, 0), _listed(phrases, 1)
    return f"{fr[0].upper()}{fr[1:]}.", f"{en[0].upper()}{en[1:]}."


def _amounts(terms: Terms) -> Iterator[Sentence]:
    """Levels 2 to 4 in words, where there is something to say."""
    if n := abs(terms.broken_promises):
        s = "s" if n > 1 else ""
        yield _more(terms.broken_promises, f"{n} promesse{s} non tenue{s}", f"{n} {{}} broken promise{s}")
    if (km := round(abs(terms.km), 1)) > 0:
        yield _more(terms.km, f"{_comma(km, 1)} km", f"{km:.1f} km {{}}")
    if (minutes := round(abs(terms.wait_minutes))) > 0:
        yield _more(terms.wait_minutes, f"{minutes} min d'attente", f"{minutes} min {{}} waiting")
    if terms.run_cents:
        yield _more(terms.run_cents, "une sortie", "one {} run")
    if (minutes := round(abs(terms.ride_minutes))) > 0:
        yield _more(terms.ride_minutes, f"{minutes} min à bord", f"{minutes} min {{}} on board")


def _more(amount: float, fr: str, en: str) -> Sentence:
    return (f"{fr} de plus", en.format("more")) if amount > 0 else (f"{fr} de moins", en.format("less"))


def _comma(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".replace(".", ",")


def _listed(phrases: list[Sentence], language: int) -> str:
    return ", ".join(phrase[language] for phrase in phrases)


def change_sentence(change: SmallestChange, request: Request, limit: str) -> Sentence:
    """What to ask for; `limit` is the new end of a window or a shift, on the wall clock."""
    fr, en = _change(change, request, limit)
    return f"Possible {fr}.", f"Possible {en}."


def _change(change: SmallestChange, request: Request, limit: str) -> Sentence:
    n, driver = change.amount, change.driver
    return_way = change.leg == "return"
    if change.kind in (ChangeKind.WINDOW_LATER, ChangeKind.WINDOW_EARLIER):
        later = change.kind == ChangeKind.WINDOW_LATER
        if return_way:
            what = ("le départ du retour", "the departure of the way back")
        else:
            what = ("le départ", "the departure") if request.arrive_by is None else ("l'arrivée", "the arrival")
        fr, en = (
            (f"plus tard (jusqu'à {limit})", f"later (until {limit})") if later else (f"plus tôt (dès {limit})", f"earlier (from {limit})")
        )
        return f"si {what[0]} peut être {n} minutes {fr}", f"if {what[1]} can be {n} minutes {en}"
    way = ("le retour seul", "the way back alone") if return_way else ("l'aller seul", "the way there alone")
    refused = (
        f"si le refus entre la personne et le bénévole {driver} est levé",
        f"if the person and volunteer {driver} lift their refusal",
    )
    if request.requires_driver not in (None, driver):
        refused = (
            f"si la personne accepte le bénévole {driver} au lieu de celui qu'elle demande",
            f"if the person accepts volunteer {driver} instead of the one asked for",
        )
    car = (f"dans la voiture du bénévole {driver}", f"in the car of volunteer {driver}")
    sentences = {
        ChangeKind.SHIFT_UNTIL: (f"si le bénévole {driver} peut rester jusqu'à {limit}", f"if volunteer {driver} can stay until {limit}"),
        ChangeKind.SHIFT_FROM: (f"si le bénévole {driver} peut commencer dès {limit}", f"if volunteer {driver} can start at {limit}"),
        ChangeKind.MORE_KM: (f"si le bénévole {driver} accepte {n} km de plus", f"if volunteer {driver} accepts {n} km more"),
        ChangeKind.ONE_MORE_SEAT: (f"avec une place de plus {car[0]}", f"with one more seat {car[1]}"),
        ChangeKind.ONE_MORE_WHEELCHAIR_PLACE: (
            f"avec une place de plus pour un fauteuil roulant {car[0]}",
            f"with one more wheelchair place {car[1]}",
        ),
        ChangeKind.ONE_MORE_BOOT_UNIT: (
            f"avec un peu plus de place {car[0]}, dans le coffre",
            f"with a little more room in the boot, {car[1]}",
        ),
        ChangeKind.ONE_WAY: (f"si {way[0]} convient à la personne", f"if {way[1]} suits the person"),
        ChangeKind.REFUSAL_LIFTED: refused,
    }
    return sentences[change.kind]
