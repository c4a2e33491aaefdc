"""How well an entry of the index answers a question, 0 to 1, and which of two comes first.

In: an entry's words, and what the typed words may mean. Out: a score. Called by `routing.places.index`.
"""

from dataclasses import dataclass

from routing.places.port import metres_between
from routing.places.vocabulary import Meanings, Vocabulary

_NEAR_M = 10_000.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry, as the file has it."""

    id: int
    kind: str
    name: str
    locality: str
    postcode: str
    lon: float
    lat: float
    weight: float
    words: str  # of its name, `av/avenue` where one is short for the other
    called: str
    around: str


@dataclass(frozen=True, slots=True)
class Scored:
    """An entry with its score."""

    candidate: Candidate
    score: float
    in_order: bool  # words of its name were typed before those of its place
    named: float  # share of the typed words that are in its name


def score(candidate: Candidate, meanings: list[Meanings], vocabulary: Vocabulary) -> Scored:
    """Share of what was typed that the entry has (weighed by how much each word tells), less what its name has besides. O(words^2)."""
    name = [group.split("/") for group in candidate.words.split()]
    others = {*candidate.called.split(), *candidate.around.split()}
    asked = answered = 0.0
    told = [False] * len(name)
    in_name, elsewhere = [], []
    for place, words in enumerate(meanings):
        likeliest = max(words, key=words.__getitem__, default="")
        weight = vocabulary.weight(likeliest)
        asked += weight
        likes = [max((words.get(word, 0.0) for word in group), default=0.0) for group in name]
        here = max(likes, default=0.0)
        there = max((words.get(word, 0.0) for word in others), default=0.0)
        answered += weight * max(here, there)
        if here and here >= there:
            told[likes.index(here)] = True
            in_name.append(place)
        elif there:
            elsewhere.append(place)
    weights = [vocabulary.weight(group[-1]) for group in name]
    whole = sum(weights)
    covered = sum(weight for weight, said in zip(weights, told, strict=True) if said) / whole if whole else 0.0
    if any(word in words for words in meanings for word in candidate.called.split()):  # « hôpital » is the hospital before its street
        covered = max(covered, 0.85)
    value = answered / asked * (0.75 + 0.25 * covered) if asked else 0.0
    in_order = bool(in_name) and (not elsewhere or max(in_name) < min(elsewhere))
    return Scored(candidate, value, in_order, len(in_name) / max(1, len(meanings)))


def order_of(scored: Scored, near: tuple[float, float] | None) -> float:
    """The score, with what decides between entries that answer as well: what they are, what of the question is in their name, how near."""
    entry = scored.candidate
    order = scored.score + 0.02 * entry.weight + 0.02 * scored.in_order + 0.01 * scored.named
    if near is not None:
        order += 0.08 / (1.0 + metres_between(near, (entry.lon, entry.lat)) / _NEAR_M)
    return order
