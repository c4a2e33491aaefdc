"""All words of an index, and which of them a typed word may mean: itself, what it is short for, a longer one, one with an error less.

In: the words with how many entries have each. Out: per typed word, index words and how like they are. Called by `routing.places.index`.
"""

from bisect import bisect_left
from collections.abc import Mapping
from math import log

import numpy as np

from routing.places.words import LITTLE, errors_allowed, stands_for

_LONGEST = 24  # letters of a word that are compared
_MOST = 64  # index words per typed word
EXACT, SHORT_FOR, AN_ERROR = 1.0, 0.98, 0.15
Meanings = dict[str, float]


class Vocabulary:
    """Held in memory: 24 bytes and a text per word, 2 MB for a département."""

    def __init__(self, words: Mapping[str, int], entries: int) -> None:
        self._words = sorted(words)
        self._entries = max(1, entries)
        self._counts = dict(words)
        self._letters = np.zeros((len(self._words), _LONGEST), np.uint32)
        self._lengths = np.array([min(len(word), _LONGEST) for word in self._words], np.int64)
        for k, word in enumerate(self._words):
            self._letters[k, : self._lengths[k]] = [ord(c) for c in word[:_LONGEST]]

    def __contains__(self, word: str) -> bool:
        return word in self._counts

    def weight(self, word: str) -> float:
        """How much a word tells: « rue » little, a family's name much."""
        return log(1.0 + self._entries / self._counts.get(word, 1)) + 0.3

    def meanings(self, word: str, *, beginning: bool, errors: bool) -> Meanings:
        """Index words that may be meant, at most 64, and how like they are."""
        found: Meanings = {}
        if word in self._counts:
            found[word] = EXACT
        for other in stands_for(word):
            if other in self._counts:
                found.setdefault(other, SHORT_FOR)
        if beginning and (len(word) > 1 or not found):
            for other in self._starting(word):
                found.setdefault(other, 0.8 + 0.15 * len(word) / len(other))
        if errors and errors_allowed(word):
            for other, count in self._like(word):
                found[other] = max(found.get(other, 0.0), EXACT - AN_ERROR * count)
        if errors and word not in self._counts and len(word) > 4:
            found = self._two_in_one(word) | found
        return found

    def _starting(self, word: str) -> list[str]:
        first, last = bisect_left(self._words, word), bisect_left(self._words, word + "\U0010ffff")
        return sorted(self._words[first:last], key=lambda other: -self._counts[other])[:_MOST]

    def _two_in_one(self, word: str) -> Meanings:
        """A blank is missing: « ruede »; the part that tells more stands for both."""
        cuts = [(word[:k], word[k:]) for k in range(2, len(word) - 1)]
        known = [
            [part for part in cut if part not in LITTLE] for cut in cuts if all(part in self._counts or part in LITTLE for part in cut)
        ]
        return {max(parts, key=self.weight): EXACT - AN_ERROR for parts in known if parts}

    def _like(self, word: str) -> list[tuple[str, int]]:
        """Words with as many errors as are allowed, the fewest first. O(words x letters), all words at once."""
        most = errors_allowed(word)
        word = word[:_LONGEST]
        near = np.flatnonzero(np.abs(self._lengths - len(word)) <= most)
        if not len(near):
            return []
        errors = _distances(word, self._letters[near], self._lengths[near])
        order = np.argsort(errors, kind="stable")
        kept = order[errors[order] <= most][:_MOST]
        return [(self._words[near[k]], int(errors[k])) for k in kept.tolist()]


def _distances(
    word: str, letters: np.ndarray[tuple[int, int], np.dtype[np.uint32]], lengths: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Errors between a word and each of n others: as `words.distance`, row by row for all at once."""
    n, width = len(letters), int(lengths.max())
    codes = [ord(c) for c in word]
    before = last = np.repeat(np.arange(width + 1, dtype=np.int8)[:, None], n, axis=1)  # [column, word]
    columns = np.ascontiguousarray(letters[:, :width].T)
    for i, code in enumerate(codes, 1):
        row = np.empty_like(last)
        row[0] = i
        for j in range(1, width + 1):
            here = np.minimum(last[j] + 1, row[j - 1] + 1)
            here = np.minimum(here, last[j - 1] + (columns[j - 1] != code))
            if i > 1 and j > 1:
                swapped = (columns[j - 2] == code) & (columns[j - 1] == codes[i - 2])
                here = np.where(swapped, np.minimum(here, before[j - 2] + 1), here)
            row[j] = here
        before, last = last, row
    return np.asarray(last[lengths, np.arange(n)])
