"""Lines that state nothing: headings, heads of tables, labels of lists, subjects of messages, page numbers.

They are found and lend their words, and are never quoted as an answer. Where markup says what heads what, it is
believed; in plain text and PDF a line is a heading only where it looks like nothing else: short, without the end or
the verb of a sentence, by itself, and with sentences below it.
"""

import re
from collections.abc import Sequence

from twinloop.dialogue.knowledge.readers.document import Page, Range

# Before a heading while its page is being read; of no meaning in any text.
MARK = "\ue001"
# The begin of a list's item: it starts a line of its own.
LIST = re.compile(r"^([-*•–·]|\d{1,3}[.)]|[A-Za-z][.)])\s")
SUBJECT = re.compile(r"^(?:subject|betreff|objet|asunto|oggetto|re|fwd?|aw|wg)\s*:", re.IGNORECASE)
PAGE_NUMBER = re.compile(r"^\W*(?:(?:page|seite|p)\W*)?\d+(?:\s*(?:of|von|/)\s*\d+)?\W*$", re.IGNORECASE)
ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]]*(?=\s|$)")
# Of verbs, the few that most sentences have; who speaks is no title either.
STATES = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|can|could|must|should|shall|may|might|do|does|did|I|you|we|they|it|he|she)\b"
)
MOST_WORDS = 10


def page_of(number: int, text: str) -> Page:
    """The page of a tidy text whose headings are marked; labels, subjects and page numbers are known by themselves."""
    lines: list[str] = []
    headings: list[Range] = []
    start = 0
    for marked in text.split("\n"):
        line = marked.replace(MARK, " ").strip()
        if not line:
            continue
        if MARK in marked or _states_nothing(line):
            headings.append(Range(start, start + len(line)))
        lines.append(line)
        start += len(line) + 1
    return Page(number, "\n".join(lines), tuple(headings))


def marked(blocks: Sequence[Sequence[str]], *, parted: bool = True) -> list[str]:
    """The lines of plain text, headings marked. blocks: the lines of each, which blank lines part.

    parted: whether blank lines are kept by the format; where they are not, the first line of a page may be a heading.
    """
    lines, following = [], ""
    for place in reversed(range(len(blocks))):
        for number in reversed(range(len(blocks[place]))):
            line = blocks[place][number]
            alone = len(blocks[place]) == 1 or not (parted or place or number)
            head = alone and _is_title(line, following)
            lines.append(MARK + line if head else line)
            # What stands over a heading is one by the same sentences.
            following = following if head else line
    return lines[::-1]


def _is_title(line: str, following: str) -> bool:
    if not line or not (line[0].isupper() or line[0].isdigit() or line[0] == "#"):
        return False
    short = len(line.split()) <= MOST_WORDS and line[-1] not in ".!?…,;" and ":" not in line
    return short and not LIST.match(line) and not STATES.search(line) and ENDS.search(following) is not None


def _states_nothing(line: str) -> bool:
    label = line.endswith((":", "：")) and len(line.split()) <= MOST_WORDS and not ENDS.search(line)
    return label or PAGE_NUMBER.match(line) is not None or SUBJECT.match(line) is not None
