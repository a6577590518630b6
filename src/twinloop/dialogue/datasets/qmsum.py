"""QMSum (Zhong et al. 2021): meetings as turns, queries about them, and the turns that are relevant to each."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from twinloop.dialogue.datasets.corpus import MEETINGS, QUESTIONS, SPANS, TURNS, UNDIVIDED, Corpus, rows
from twinloop.dialogue.datasets.files import beginning, json_of, of_suffix
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.errors import InputError

KEYS = ("topic_list", "general_query_list", "specific_query_list", "meeting_transcripts")
TELLING = re.compile(rf'"({"|".join(KEYS)})"\s*:')
FOLDERS = {"train": "train", "val": "val", "dev": "val", "validation": "val", "test": "test"}
GENERAL, OUTSIDE = "query on a whole meeting, without turns", "span outside its meeting"


def claims(files: list[Path]) -> list[Path]:
    """The files whose first key is one of QMSum's."""
    return [path for path in of_suffix(files, (".json",)) if TELLING.search(beginning(path))]


def read(files: list[Path], settings: CorpusSettings) -> Corpus:
    """Meetings, turns, specific queries and their spans; the split is the folder's. Raises InputError otherwise."""
    meetings: list[tuple[Any, ...]] = []
    turns: list[tuple[Any, ...]] = []
    questions: list[tuple[Any, ...]] = []
    spans: list[tuple[Any, ...]] = []
    left = Counter[str]()
    for path in files:
        held = json_of(path, max_bytes=settings.max_bytes)
        split = FOLDERS.get(path.parent.name.lower(), UNDIVIDED)
        try:
            said = [
                (path.stem, n, turn["speaker"], turn["content"]) for n, turn in enumerate(held["meeting_transcripts"])
            ]
            left[GENERAL] += len(held["general_query_list"])
            for number, query in enumerate(held["specific_query_list"]):
                name = f"{path.stem}/{number}"
                questions.append((name, query["query"], "", query["answer"], "", split, ""))
                for first, last in ((int(a), int(b)) for a, b in query["relevant_text_span"]):
                    if 0 <= first <= last < len(said):
                        spans.append((name, path.stem, first, last))
                    else:
                        left[OUTSIDE] += 1
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"corpus: {path}: expected a meeting of QMSum ({', '.join(KEYS)}), {error!r} is missing or wrong"
            ) from None
        meetings.append((path.stem, None, split))
        turns += said
    return Corpus(
        layout="qmsum",
        meetings=rows(MEETINGS, meetings),
        turns=rows(TURNS, turns),
        questions=rows(QUESTIONS, questions),
        spans=rows(SPANS, spans),
        left_out=+left,
    )
