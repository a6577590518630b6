"""Where sentences begin and end, as character ranges: a citation points into the page, so nothing is rewritten.

A rule with a list of abbreviations: a trained splitter would have to be shipped for each language. A line break always
ends a sentence; a sentence that is longer than the most words is cut behind the comma, semicolon or word nearest to it.
"""

import re

from twinloop.dialogue.knowledge.readers.document import Range

TITLES = "mr mrs ms dr prof st sr jr rev hon gen col capt lt sgt gov pres sen rep"
SHORTENED = "vs etc e.g i.e eg ie cf al approx ca dept est inc ltd co corp a.m p.m u.s u.k bzw z.b d.h usw abb str"
MONTHS = "jan feb mar apr jun jul aug sep sept oct nov dec"
# What may also end a sentence: before a capital, unless a date goes on ("6 p.m. Monday"); what stands before names as
# well, only before a word that begins sentences.
AT_THE_END, BEFORE_A_NAME = "etc a.m p.m", "inc ltd co corp jr sr u.s u.k al"
STARTERS = "The A An It He She They We You I This That These Those There In On At For If When But And"
ENDING, BEFORE_NAMES, BEGINNING = (frozenset(each.split()) for each in (AT_THE_END, BEFORE_A_NAME, STARTERS))
WHOLE_MONTHS = "january february march april may june july august september october november december"
DAYS = "mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday"
DATES = frozenset(f"{MONTHS} {WHOLE_MONTHS} {DAYS}".split())
ABBREVIATIONS = frozenset(f"{TITLES} {SHORTENED} {MONTHS}".split())
# Abbreviations before a number, words before anything else.
BEFORE_NUMBERS = frozenset(("no", "nos", "nr", "fig", "figs", "eq", "vol", "ch", "sec", "pp"))
# A row of marks is read once, not from each of its marks.
END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|[。！？]+[”’」』）]*")
FOLLOWING = re.compile(r"\s*+[\"'“‘«(\[]*+([^\W\d_]+|.)", re.DOTALL)
LIST_NUMBER = re.compile(r"\s*+[\"'“‘«(\[]*+\d{1,2}\s*+")
WORD = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*")
CUTS = (re.compile(r"[;:—–]\s"), re.compile(r",\s"), re.compile(r"\s"))
MOST_WORDS = 60
# Characters before a full stop that can hold an abbreviation; a text of one line has no nearer beginning.
LONGEST_WORD = 32


def sentences(text: str, *, most_words: int = MOST_WORDS) -> list[Range]:
    """Ranges of the sentences of a text, in order, without blanks around; together they hold every other character.

    >>> text = "Dr. Ada wrote it. It runs!"
    >>> [text[start:end] for start, end in sentences(text)]
    ['Dr. Ada wrote it.', 'It runs!']
    """
    found = []
    for line in re.finditer(r"[^\n]+", text):
        start = line.start()
        for end in [*_ends(text, line.start(), line.end()), line.end()]:
            if stripped := _stripped(text, start, end):
                found.extend(_short(text, stripped, most_words=most_words))
            start = end
    return found


def words(text: str) -> int:
    """How many words a text has; each character of a script without blanks between words counts as one.

    >>> words("It's 3.5 km"), words("東京")
    (3, 2)
    """
    return sum(max(1, sum(_unspaced(c) for c in match.group())) for match in WORD.finditer(text))


def _unspaced(character: str) -> bool:
    """Whether it is of a script that writes words without blanks: Chinese, Japanese, Thai, Lao, Khmer."""
    code = ord(character)
    return 0x0E00 <= code < 0x0F00 or 0x1780 <= code < 0x1800 or 0x3040 <= code < 0xA000 or 0xF900 <= code < 0xFB00


def _ends(text: str, start: int, end: int) -> list[int]:
    return [
        match.end()
        for match in END.finditer(text, start, end)
        if text[match.start()] != "." or _ends_here(text, start, match.start(), match.end(), end)
    ]


def _ends_here(text: str, start: int, dot: int, after: int, end: int) -> bool:
    """Whether a full stop ends a sentence: not after an abbreviation or a list's number, nor before a small letter."""
    before = (text[max(start, dot - LONGEST_WORD) : dot].split() or [""])[-1]
    word = before.strip("\"'“‘«([").lower()
    following = FOLLOWING.match(text, after, end)
    if following is None or following[1][0].islower():
        return False
    if word in BEFORE_NUMBERS and following[1][0].isdigit():
        return False
    if _may_end(word, following[1]):
        return True
    if word in ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i"):
        return False
    return LIST_NUMBER.fullmatch(text, start, dot) is None


def _may_end(abbreviation: str, following: str) -> bool:
    """Whether the full stop of an abbreviation is also that of its sentence, by the word that follows."""
    if abbreviation in ENDING:
        return following[0].isupper() and following.lower() not in DATES
    return abbreviation in BEFORE_NAMES and following in BEGINNING


def _stripped(text: str, start: int, end: int) -> Range | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Range(start, end) if start < end else None


def _short(text: str, given: Range, *, most_words: int) -> list[Range]:
    """The range itself, or parts of it of at most so many words."""
    parts: list[Range] = []
    rest: Range | None = given
    while rest is not None:
        limit = _after_words(text, rest, most_words)
        if limit >= rest.end:
            return [*parts, rest]
        cut = _cut(text, rest.start, limit)
        if part := _stripped(text, rest.start, cut):
            parts.append(part)
        rest = _stripped(text, cut, rest.end)
    return parts


def _after_words(text: str, given: Range, most_words: int) -> int:
    """Where the most words end; the range's end where it has no more."""
    count = 0
    for match in WORD.finditer(text, given.start, given.end):
        inside = sum(_unspaced(c) for c in match.group())
        if inside and count + inside > most_words:
            return max(match.start() + most_words - count, given.start + 1)
        count += max(1, inside)
        if count > most_words:
            return match.start()
    return given.end


def _cut(text: str, start: int, limit: int) -> int:
    """The last good place to cut before `limit`, not in the first half."""
    half = start + (limit - start) // 2
    for pattern in CUTS:
        places = [match.end() for match in pattern.finditer(text, half, limit)]
        if places:
            return places[-1]
    return limit
