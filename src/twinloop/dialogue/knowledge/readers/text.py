"""Plain text: which encoding it is in, and which line breaks are only the edge of the paper."""

import codecs
import re

from twinloop.dialogue.knowledge.readers.document import Page, tidy
from twinloop.dialogue.knowledge.readers.headings import LIST, MARK, SUBJECT, marked, page_of
from twinloop.dialogue.knowledge.settings import ReadingSettings
from twinloop.errors import InputError

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Nobody writes whole texts in half-width kana; bytes of other scripts look like them in Shift JIS.
NARROW_KANA, FEW = re.compile("[\uff61-\uff9f]"), 0.2
# A line that reaches so far towards the longest one was broken by the paper, not by its writer.
FULL = 0.7


def read_text(name: str, content: bytes, settings: ReadingSettings) -> tuple[Page, ...]:
    """The whole text as one page; form feeds part pages. Raises InputError where the encoding is unsure."""
    pages = decoded(name, content, settings).split("\f")
    return tuple(plain_page(number, page) for number, page in enumerate(pages, start=1))


def decoded(name: str, content: bytes, settings: ReadingSettings, *, declared: str | None = None) -> str:
    """The characters of bytes: as they are marked, in UTF-8, as set or declared, or in the only encoding that fits.

    Raises InputError naming the candidates where several fit and read it differently, and for more than is read.
    """
    text = _known(name, content, settings.encoding or declared)
    if text is None:
        candidates = _candidates(content)
        if len(candidates) != 1:
            names = " or ".join(list(candidates.values())[:3]) or "none known"
            raise InputError(
                f"{name}: the encoding of its text is unsure, not UTF-8 but {names}: "
                "say which as ReadingSettings.encoding, or save it as UTF-8"
            )
        text = next(iter(candidates))
    if len(text) > settings.max_characters:
        raise InputError(
            f"{name}: expected at most {settings.max_characters} characters, it has {len(text)}: "
            "split it or raise ReadingSettings.max_characters"
        )
    return text


def _known(name: str, content: bytes, encoding: str | None) -> str | None:
    """The text as it is marked, else in UTF-8, else in the encoding given; None where that leaves it open."""
    marked = next((known for mark, known in MARKS.items() if content.startswith(mark)), None)
    if marked is None:
        try:
            # What is well-formed UTF-8 is nothing else, unless its zeros speak of wider characters.
            if b"\x00" not in content or encoding is None:
                return content.decode("utf-8")
        except UnicodeDecodeError:
            if encoding is None:
                return None
    try:
        return content.decode(marked or encoding or "utf-8")
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"{name}: expected text in {marked or encoding}, it is not ({error}): name another encoding"
        ) from None


def _candidates(content: bytes) -> dict[str, str]:
    """Different readings of bytes that look equally like a language, each with its encoding."""
    from charset_normalizer import from_bytes

    matches = list(from_bytes(content, preemptive_behaviour=False))
    matches = [match for match in matches if len(NARROW_KANA.findall(str(match))) <= FEW * len(str(match))]
    least = min((match.chaos for match in matches), default=0.0)
    readings: dict[str, str] = {}
    for match in matches:
        if match.chaos <= least:
            readings.setdefault(str(match), match.encoding)
    return readings


def plain_page(number: int, text: str, *, parted: bool = True) -> Page:
    """A page whose lines are paragraphs: breaks at the edge of the paper are blanks, words cut there are whole.

    parted: whether blank lines are kept, as `headings.marked` has it.

    >>> plain_page(1, "The first line is as long as it can be and goes\\non here.\\n\\nNext.").text
    'The first line is as long as it can be and goes on here.\\nNext.'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(MARK, " ")
    longest = max((len(line.strip()) for line in text.splitlines()), default=0)
    joined = (tidy(_joined(block.splitlines(), full=FULL * longest)) for block in re.split(r"\n\s*\n", text))
    return page_of(number, "\n".join(marked([block.split("\n") for block in joined if block], parted=parted)))


def _joined(lines: list[str], *, full: float) -> str:
    joined = ""
    before = ""
    for line in (line.strip() for line in lines):
        if not joined or not line:
            joined += line
        elif before.endswith("-") and line[0].islower() and len(before) > 1 and before[-2].isalpha():
            joined = joined[:-1] + line
        elif len(before) >= full and not LIST.match(line) and not SUBJECT.match(before):
            joined += " " + line
        else:
            joined += "\n" + line
        before = line
    return joined
