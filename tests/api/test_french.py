"""Every sentence that an error may tell over HTTP has its French: the source is read, and what it gives to errors is looked up."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain, product
from pathlib import Path

import pytest

from api.errors import STATUS
from api.french import FRENCH, HOLE, french, key_of
from api.french.states import STATES, no_move
from dispatch.errors import _SENTENCES, _SHAPES, UNKNOWN, DispatchError, IllegalMove
from dispatch.model.entrusting import CANNOT
from dispatch.model.lifecycle import TABLE, move
from routing.errors import PlacesAway, RoutingError
from tests.api.conftest import Service

ROOT = Path(__file__).parent.parent.parent
#: Whose errors end on a terminal, which speaks English: the command line, its files and settings, and days that come from files.
TERMINAL = (
    *("dispatch/cli", "dispatch/files.py", "dispatch/settings.py", "dispatch/health.py", "api/server.py", "api/simulation/"),
    *("dispatch/model/day.py", "dispatch/engine/day_after.py", "dispatch/storage/migrations/"),
)
#: Where ValueErrors are sentences about a field.
VALUES = ("dispatch/model/", "dispatch/service/imports.py", "api/schemas", "api/volunteer_schemas.py")
#: Mistakes of ours, and of a setting: nobody is told over HTTP.
OURS = (
    "is not a key: make one with `allons vault new-key`",
    "{} is told with {}, and may have {}; link: {}",
    "{} must be {}, a moment with its offset, a text a code",
)
#: Expressions that carry on a sentence which is found where it was made.
CARRIED = {
    *("str(error)", "str(known)"),
    *("str(context['error'])", "report.get('detail')", "refused.detail", "fault.sentence", "api/errors.py: detail"),
    *(
        "self.sentence_en",
        "sentence.format(**context)",
        "_SHAPES.get(str(context.get('pattern')))",
        "_SENTENCES.get(code, UNKNOWN)",
        "CANNOT[place.reason][1]",
    ),
}


def tree(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


TOLD = [error for root in (DispatchError, RoutingError) for error in tree(root) if STATUS[error.code] != 500 or error is PlacesAway]  # type: ignore[attr-defined]
NAMES = {error.__name__ for error in TOLD} - {"BadInput"}
Values = dict[str, list[ast.expr]]


class Room:
    """One module: the sentences that it gives to errors, with a hole `{}` for each part that is not fixed."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.scopes = list(_scopes(ast.parse(text), {}))
        self.functions = {scope[0].name: scope for scope in self.scopes if isinstance(scope[0], ast.FunctionDef)}

    def sentences(self) -> Iterator[tuple[int, str]]:
        for _, nodes, values in self.scopes:
            for node in nodes:
                if isinstance(node, ast.Call) and (said := self._said(node)) is not None:
                    yield from ((node.lineno, sentence) for sentence in self.read(said, values))

    def _said(self, node: ast.Call) -> ast.expr | None:
        """The argument that is a sentence, of a call that makes an error."""
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called == "Obstacle":  # a rule that a wish goes against, which becomes a fault
            return next(word.value for word in node.keywords if word.arg == "sentence_en")
        place = {"Fault": 2, "_Refused": 1, "problem": 3}.get(called, 0 if called in NAMES else None)
        if called == "ValueError" and self.name.startswith(VALUES):
            place = 0
        if place is None or len(node.args) <= place:
            return None
        first = node.args[0]
        if isinstance(first, ast.Constant) and str(first.value).startswith(("ALLONS_", "--")):
            return None  # a setting or an option
        return node.args[place]

    def read(self, node: ast.expr, values: Values) -> Iterator[str]:
        """The sentences that an expression may be. One that cannot be read is answered as itself, and has no French."""
        if isinstance(node, ast.Constant):
            yield from [node.value] if isinstance(node.value, str) else []
        elif isinstance(node, ast.JoinedStr):
            yield from map("".join, product(*(list(self.part(part, values)) for part in node.values)))
        elif isinstance(node, ast.IfExp):
            yield from chain(self.read(node.body, values), self.read(node.orelse, values))
        elif isinstance(node, ast.BoolOp):
            yield from chain.from_iterable(self.read(value, values) for value in node.values)
        elif isinstance(node, ast.Name) and node.id in values:
            yield from chain.from_iterable(self.read(value, values) for value in values[node.id])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.functions:
            _, inside, known = self.functions[node.func.id]
            returns = [found.value for found in inside if isinstance(found, ast.Return) and found.value]
            yield from chain.from_iterable(self.read(value, known) for value in returns)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in values:
            (pair,) = values[node.value.id]
            yield from self.read(pair.elts[ast.literal_eval(node.slice)], values) if isinstance(pair, ast.Tuple) else [ast.unparse(node)]
        elif not CARRIED & {ast.unparse(node), f"{self.name}: {ast.unparse(node)}"}:
            yield f"cannot be read here: {ast.unparse(node)}"

    def part(self, node: ast.expr, values: Values) -> Iterator[str]:
        """A hole, or a text that is fixed elsewhere in the module."""
        if not isinstance(node, ast.FormattedValue):
            yield from self.read(node, values)
            return
        known = values.get(node.value.id, []) if isinstance(node.value, ast.Name) else []
        fixed = [str(value.value) for value in known if isinstance(value, ast.Constant)]
        yield from fixed or [HOLE]


def _scopes(node: ast.AST, outer: Values) -> Iterator[tuple[ast.AST, list[ast.AST], Values]]:
    """The module and each function: what is in it alone, and what its names may be."""
    inside: list[ast.AST] = []
    functions: list[ast.AST] = []
    left = list(ast.iter_child_nodes(node))
    while left:
        found = left.pop(0)
        (functions if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) else inside).append(found)
        if not functions or found is not functions[-1]:
            left += ast.iter_child_nodes(found)
    own: Values = {}
    for found in inside:
        targets = found.targets if isinstance(found, ast.Assign) else [getattr(found, "target", None)]
        value = getattr(found, "value", None)
        if isinstance(found, ast.Assign | ast.AnnAssign | ast.NamedExpr) and value is not None:
            for target in targets:
                for name, what in _paired(target, value):
                    own.setdefault(name, []).append(what)
    values = outer | own
    yield node, inside, values
    for function in functions:
        yield from _scopes(function, values)


def _paired(target: ast.expr | None, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """`a = x`, and `a, b = x, y`."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for name, part in zip(target.elts, value.elts, strict=True):
            yield from _paired(name, part)


@cache
def sentences() -> list[tuple[str, str]]:
    """Where, and what. Read when a test asks: every worker loads this file, one runs it."""
    paths = sorted(path for package in ("api", "dispatch", "routing") for path in (ROOT / package).rglob("*.py"))
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    rooms = [Room(name, text) for name, text in texts.items() if not name.startswith(TERMINAL)]
    found = [(f"{room.name}:{line}", sentence) for room in rooms for line, sentence in room.sentences()]
    found += [(error.__name__, inspect.cleandoc(error.__doc__ or "")) for error in TOLD]
    found += [(error.__name__, error.action) for root in (DispatchError, RoutingError) for error in tree(root)]  # type: ignore[attr-defined]
    found += [
        ("dispatch/errors.py", sentence)
        for sentence in (UNKNOWN, *_SHAPES.values(), *(re.sub(r"\{\w+\}", HOLE, told) for told in _SENTENCES.values()))
    ]
    found += [("dispatch/model/entrusting.py", english) for _, english in CANNOT.values()]
    return [(where, sentence) for where, sentence in found if sentence not in OURS]


MOVE = "This {} is {}: it cannot become {}."


def test_the_source_is_read_at_all() -> None:
    """A few of every kind: a literal, one with a hole, one behind a name, one that a function answers, a class's, pydantic's."""
    known = {sentence for _, sentence in sentences()}
    assert {"Nobody drives this ride.", "is more than {} days ahead", "must begin with https://", "The database does not answer."} < known
    assert {"You may not do this.", "Read it again, then decide anew.", "is missing", "must be at most {}", "is given twice"} < known
    assert len(known) > 180


def test_a_sentence_that_cannot_be_read_is_not_passed_over() -> None:
    text = "def f(a, b):\n    w, x = f'has {a} of {b}', 1\n    Fault('x', 'y', w)\n    raise Conflict(a.words or 'So.')\n"
    text += "def g():\n    raise Refused(w)\n"
    found = [sentence for _, sentence in Room("dispatch/x.py", text).sentences()]
    assert found == ["has {} of {}", "cannot be read here: a.words", "So.", "cannot be read here: w"]


def test_every_sentence_has_its_french() -> None:
    missing = [(where, sentence) for where, sentence in sentences() if key_of(sentence.replace(HOLE, "7")) is None and sentence != MOVE]
    told = "\n".join(f"  {where}: {sentence!r}" for where, sentence in missing)
    assert not missing, (
        "These sentences of errors have no French. Add each, with {} for what is not fixed, to api/french/fields.py (said beside a field) "
        f"or api/french/refusals.py (said by itself, and actions):\n{told}"
    )


def test_no_french_is_left_that_nobody_says() -> None:
    said = {key_of(sentence.replace(HOLE, "7")) for _, sentence in sentences()}
    spoken_by_the_wire_form = {"and {} more", "must have at least 1 characters", "must hold at least 1 items"}
    assert set(FRENCH) - said - spoken_by_the_wire_form == set(), "Take these out of api/french: no error says them any more."


def test_french_is_whole_sentences() -> None:
    for english in FRENCH:
        told = french(english.replace(HOLE, "7"))
        assert told != english
        assert not re.search(r"\{[^7]*\}", told), f"a hole is left in {told}"
        assert "\u2019" not in told, "apostrophes are ' here, as in every text"
        assert english == "and {} more" or (told[0].isupper() and told[-1] in ".)"), told


def test_every_step_that_is_not_possible_is_told_in_french() -> None:
    assert {kind: set(states) for kind, states in STATES.items()} == {kind: set(states) for kind, states in TABLE.items()}
    for kind, states in TABLE.items():
        for before, after in product(states, states):
            told = french(f"This {kind} is {before}: it cannot become {after}.")
            assert told == no_move(kind, before, after)
            assert told.startswith("Ce") and "_" not in told
    with pytest.raises(IllegalMove, match="This offer is expired: it cannot become accepted"):
        move("offer", "expired", "accepted")


@pytest.mark.parametrize(
    ("english", "told"),
    [
        ("must be at most 90.0", "Pas plus de 90."),
        ("must be one of 'email', 'sms' or 'call'", "Choisissez l'une de ces valeurs : 'email', 'sms' ou 'call'."),
        (
            "is less than 24 hours from now: this territory needs so much notice",
            "C'est dans moins de 24 heures : ce territoire demande ce délai. Choisissez plus tard, ou appelez la plateforme.",
        ),
        (
            "had to be asked for until 24/11 16:00: give a later day, or call the platform",
            "Il fallait le demander avant le 24/11 à 16 h 00 : choisissez un jour plus lointain, ou appelez la plateforme.",
        ),
        (
            "is 12.3 km from the nearest road: check the point (longitude comes first)",
            "Ce point est à 12,3 km de la route la plus proche : vérifiez-le (la longitude d'abord).",
        ),
        (
            "must hold {link} or {lien}: nobody could answer without",
            "Le texte doit contenir {lien} : sans cela, personne ne pourrait répondre.",
        ),
        ("Send a PDF, JPEG or PNG: Content-Type: image/png.", "Envoyez un PDF, un JPEG ou un PNG (Content-Type: image/png)."),
        ("something nobody has translated", "something nobody has translated"),
    ],
)
def test_what_fills_a_hole_is_written_as_the_french_do(english: str, told: str) -> None:
    assert french(english) == told


def test_a_coordinator_reads_errors_in_french(service: Service) -> None:
    headers = {"Accept-Language": "fr-FR,fr;q=0.9"}
    problem = service.call("coordinator", "POST", "/v1/rounds", json={"seconds": 100000}, headers=headers).json()
    assert problem["detail"] == "Des informations sont à corriger."
    assert problem["action"] == "Corrigez les champs indiqués, puis envoyez de nouveau."
    assert {fault["pointer"]: fault["detail"] for fault in problem["errors"]}["date"] == "À remplir."
    assert "detail" in service.call("coordinator", "POST", "/v1/rounds", json={"date": "x"}, headers={"Accept-Language": "en"}).json()


def test_forms_that_have_a_sentence_of_their_own_are_forms_that_are_asked_for(service: Service) -> None:
    described = json.dumps(service.app.openapi())
    assert [pattern for pattern in _SHAPES if json.dumps(pattern) not in described] == []


def test_what_the_guard_refuses_is_told_in_french(service: Service) -> None:
    answer = service.call(
        "coordinator", "POST", "/v1/rounds", content=b"{", headers={"Accept-Language": "fr", "Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Ce n'est pas du JSON strict")


def test_lines_of_a_sheet_are_told_in_french(service: Service) -> None:
    sheet = b"nom;telephone;domicile_lon;domicile_lat\r\nJeanne;12;2,3969;46,2883\r\n"
    headers = {"Accept-Language": "fr", "Content-Type": "text/csv"}
    answer = service.call("coordinator", "POST", "/v1/imports/volunteers?dry_run=true", content=sheet, headers=headers)
    assert [fault["detail"] for fault in answer.json()["lines"][0]["errors"]] == [
        "Il faut dix chiffres, comme 06 12 34 56 78, ou un numéro qui commence par + et le pays."
    ]
