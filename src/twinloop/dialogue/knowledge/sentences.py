"""Where sentences begin and end, as character ranges: a citation points into the page, so nothing is rewritten.

A rule with a list of abbreviations: a trained splitter would have to be shipped for each language. A line break always
ends a sentence; a sentence that is longer than the most words is cut behind the comma, semicolon or word nearest to it.
"""

import re

from twinloop.dialogue.knowledge.readers.document import Range

TITLES = "mr mrs ms dr prof st sr jr rev hon gen col capt lt sgt gov pres sen rep"
SHORTENED = "vs etc e.g i.e eg ie cf al approx ca dept est inc ltd co corp a.m p.m u.s u.k bzw z.b d.h usw abb str"
MONTHS = "jan feb mar apr jun jul aug sep sept oct nov dec"
ABBREVIATIONS = frozenset(f"{TITLES} {SHORTENED} {MONTHS}".split())
# Abbreviations before a number, words before anything else.
BEFORE_NUMBERS = frozenset(("no", "nos", "nr", "fig", "figs", "eq", "vol", "ch", "sec", "pp"))
END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[”’」』）]*")
WORD = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*")
OPENING = "\"'“‘«(["
BEFORE_WORD = re.compile(rf"\s*[{re.escape(OPENING)}]*")
BLANKS = re.compile(r"\s*")
# No abbreviation has so many characters: a line may be a whole book, and is not looked through at each of its stops.
LONGEST = 32
CUTS = (re.compile(r"[;:—–]\s"), re.compile(r",\s"), re.compile(r"\s"))
MOST_WORDS = 60


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


def _ends_here(text: str, start: int, dot: int, dot_end: int, end: int) -> bool:
    """Whether a full stop ends a sentence: not after an abbreviation or a list's number, nor before a small letter."""
    last = dot
    while last > start and text[last - 1].isspace():
        last -= 1
    begin = last
    while begin > start and last - begin <= LONGEST and not text[begin - 1].isspace():
        begin -= 1
    word = text[begin:last].strip(OPENING).lower()
    place = _past(BEFORE_WORD, text, dot_end, end)
    following = text[place : min(place + 1, end)]
    if not following or following.islower():
        return False
    if word in BEFORE_NUMBERS and following.isdigit():
        return False
    if word in ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i"):
        return False
    return not (word.isdigit() and len(word) <= 2 and _past(BLANKS, text, start, begin) == begin)


def _past(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Where that ends which the pattern matches from `start` on."""
    match = pattern.match(text, start, end)
    return match.end() if match else start


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
