"""What kind of thing a question asks for, and whether a sentence holds one: the taxonomy of Li and Roth (2002), coarse.

By rule and for English; a question of no known kind, or in another language, asks for anything.
"""

import re
from typing import NamedTuple

NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|"
    "nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|dozen|half|third|"
    "quarter|once|twice|double|single|pair|several"
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
SPANS = "century|centuries|BC|AD|BCE|CE|ago|yesterday|today|tomorrow|noon|midnight|decade|spring|summer|autumn|winter"
OF_TIME = "year|date|day|month|century|decade|era|time|period"
OF_NUMBER = "percent|percentage|number|amount|proportion|fraction|population|temperature|price|cost|size|rate|ratio"
OF_MEASURE = "many|much|long|far|old|tall|high|large|big|often|fast|deep|wide|heavy|hot|cold"
OF_PERSON = (
    "person|man|woman|king|queen|president|author|player|actor|actress|scientist|leader|general|emperor|family|team|"
    "company|group|organi[sz]ation"
)
OF_PLACE = "country|city|state|town|place|region|continent|location|county|river|area|street"
OWNERS = "the|my|your|our|his|her|its|their"
CAUSES = (
    r"because|since|due\s+to|so\s+that|in\s+order|therefore|thus|hence|owing|caused?|led\s+to|reason|result(?:ed|s)?"
)
# Written with a capital letter or with a digit: what is one of many of its kind.
NAMED = re.compile(r"\b(?:[A-Z][\w’'-]+|\w*\d\w*)")
AIMS = "avoid|prevent|ensure|protect|allow|make|keep|get|help"


class Kind(NamedTuple):
    """What asks for a kind of thing, and what is one."""

    asks: re.Pattern[str]
    answers: re.Pattern[str]


def _of(nouns: str) -> str:
    """What or which year, what was the year, and the like; a word may stand before the noun."""
    return rf"\b(?:what|which)\s+(?:(?:is|are|was|were)\s+(?:{OWNERS})\s+)?(?:\w+\s+)?(?:{nouns})s?\b"


def _kind(asks: str, answers: str, *, capitals: bool = False) -> Kind:
    return Kind(re.compile(asks, re.IGNORECASE), re.compile(answers, 0 if capitals else re.IGNORECASE))


KINDS = {
    "time": _kind(
        rf"^\W*when\b|{_of(OF_TIME)}|\bhow\s+long\s+ago\b",
        rf"\b1\d{{3}}s?\b|\b20\d\ds?\b|\b\d{{1,2}}[:.]\d\d\b|\b(?:{MONTHS}|{DAYS}|{SPANS})\b",
        capitals=True,
    ),
    "number": _kind(rf"\bhow\s+(?:{OF_MEASURE})\b|{_of(OF_NUMBER)}", rf"\d|\b(?:{NUMBER_WORDS})s?\b"),
    "person": _kind(
        rf"\b(?:who|whom|whose)\b|{_of(OF_PERSON)}", r"(?<=[\w,;] )[A-Z][\w’'-]+|^[A-Z][\w’'-]+ [A-Z]", capitals=True
    ),
    "place": _kind(
        rf"^\W*(?:in\s+|from\s+)?where\b|\bwhere\s+(?:is|was|are|were|did|do|does|can)\b|{_of(OF_PLACE)}",
        r"\b(?:in|at|to|from|near|of|on|across|through|between|into|around|off|within)\s+(?:the\s+)?[A-Z]",
        capitals=True,
    ),
    "reason": _kind(rf"\bwhy\b|\bwhat\s+cause|{_of('reason')}", rf"\b(?:{CAUSES}|to\s+(?:{AIMS}))\b"),
}


def kind_of(question: str) -> str | None:
    """What is asked for: time, number, person, place or reason; None where any sentence may answer.

    >>> kind_of("How many ovens are there?"), kind_of("What is an oven?")
    ('number', None)
    """
    return next((kind for kind, known in KINDS.items() if known.asks.search(question)), None)


def names_in(question: str) -> list[str]:
    """Names and numbers that a question is about; its first word says nothing by its capital, nor do only capitals.

    >>> names_in("What did Ann Lee pay in May 2024?"), names_in("HOW MANY OVENS?")
    (['Ann', 'Lee', 'May', '2024'], [])
    """
    _, _, rest = question.strip().partition(" ")
    written = any(character.islower() for character in rest)
    return [name for name in NAMED.findall(rest) if written or any(character.isdigit() for character in name)]


def holds(sentence: str, kind: str, question: str) -> bool:
    """Whether a sentence has something of a kind that the question does not already say.

    >>> holds("The oven of 1999 has 4 doors.", "number", "How many doors has the oven of 1999?")
    True
    >>> holds("The oven of 1999 is red.", "number", "How many doors has the oven of 1999?")
    False
    """
    said = question.casefold()
    return any(_whole(match, sentence).casefold() not in said for match in KINDS[kind].answers.finditer(sentence))


def _whole(match: re.Match[str], sentence: str) -> str:
    """The words that a match touches, to their ends."""
    start, end = match.span()
    while start > 0 and sentence[start - 1].isalnum():
        start -= 1
    while end < len(sentence) and sentence[end].isalnum():
        end += 1
    return sentence[start:end]
