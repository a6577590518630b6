"""Names of a library for names that were misheard: a recogniser does not know them, a person's documents do.

A name that no document has is taken for one that some document has, where both begin with the same sound and differ in
few letters, or in more where they sound alike (Soundex: Russell, 1918). Everything else stays: it may be right.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from twinloop.dialogue.knowledge.lexical import WORD, common_words

# With a capital within a sentence. What is written small somewhere is no name.
NAME = re.compile(r"(?:(?<=[\w,;:)] )|(?<=[(\-]))[A-Z][^\W\d_]+\b")
SHORTEST = 4
# Shares of the letters that have to agree: at all, and where both words sound alike.
ALIKE, ALIKE_IN_SOUND = 0.7, 0.5
SOUNDS = {
    letter: sound
    for sound, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), start=1)
    for letter in letters
}
KEPT = 4096


class Spelling:
    """The names in some texts, as they are written there."""

    def __init__(self, texts: Iterable[str]) -> None:
        written: Counter[str] = Counter()
        self._known: set[str] = set()
        small: set[str] = set()
        for text in texts:
            written.update(NAME.findall(text))
            words = WORD.findall(text)
            self._known.update(word.casefold() for word in words)
            small.update(word for word in words if word.islower())
        self._by_beginning: dict[str, list[str]] = defaultdict(list)
        # The more frequent first: of equally near ones it is taken.
        for name, _ in sorted(written.items(), key=lambda pair: (-pair[1], pair[0])):
            if _spelt_out(name) and name.casefold() not in small:
                self._by_beginning[_sounds(name)[0]].append(name)
        self._meant = lru_cache(KEPT)(self._nearest)

    def spelt(self, heard: str) -> str:
        """A text with each name that was misheard as the library spells it; some recognisers write all words small.

        >>> Spelling(["The rent of Ann Jansen is 80 euros."]).spelt("What does Anne Jensen pay?")
        'What does Anne Jansen pay?'
        """
        names = WORD if heard.islower() else NAME
        return names.sub(lambda match: self._meant(match.group()), heard)

    def _nearest(self, word: str) -> str:
        if not _spelt_out(word) or word.casefold() in self._known or word.casefold() in common_words():
            return word
        sounds = _sounds(word)
        best, most = word, 0.0
        for other in self._by_beginning[sounds[0]]:
            least = ALIKE_IN_SOUND if _sounds(other) == sounds else ALIKE
            share = _alike(word.casefold(), other.casefold(), least=max(least, most))
            if share >= least and share > most:
                best, most = other, share
        return best


def _spelt_out(word: str) -> bool:
    return len(word) >= SHORTEST and word.isascii() and word.isalpha()


@lru_cache(1 << 16)
def _sounds(word: str) -> str:
    """The consonants of a word by how they sound, neighbours that sound alike once; the first letter counts as well."""
    letters = word.casefold()
    coded = [str(SOUNDS.get(letter, 0)) for letter in letters]
    kept = [code for place, code in enumerate(coded) if place == 0 or (code != "0" and code != coded[place - 1])]
    return "".join(kept)


def _alike(one: str, other: str, *, least: float) -> float:
    """The share of letters that stay when one word is changed into the other (Levenshtein, 1966); 0 below `least`."""
    longest = max(len(one), len(other))
    if abs(len(one) - len(other)) > (1 - least) * longest:
        return 0.0
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        before, row[0] = row[0], number
        for place, against in enumerate(other, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (letter != against))
    share = 1 - row[-1] / longest
    return share if share >= least else 0.0
