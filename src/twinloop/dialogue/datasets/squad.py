"""SQuAD (Rajpurkar et al. 2016) and what shares its form, as XQuAD: paragraphs with questions and answers in them.

Every paragraph becomes a text document; those of an article belong together.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from twinloop.dialogue.datasets.corpus import DOCUMENTS, EVIDENCE, QUESTIONS, Corpus, rows
from twinloop.dialogue.datasets.files import beginning, json_of, of_suffix
from twinloop.dialogue.datasets.passages import squeezed_range
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.errors import InputError

TELLING = re.compile(r'"(paragraphs|context|qas)"\s*:')
IMPOSSIBLE, MISPLACED = "not stated", "answer that is not where it is said to be"
SIDES = {"train": "train", "dev": "val", "val": "val"}


def claims(files: list[Path]) -> list[Path]:
    """The files that begin with paragraphs and questions."""
    return [path for path in of_suffix(files, (".json",)) if TELLING.search(beginning(path))]


def read(files: list[Path], settings: CorpusSettings) -> Corpus:
    """Documents, questions and evidence. A file named train… or dev… is of that split, any other is for test.

    Raises InputError for another form.
    """
    documents: list[tuple[Any, ...]] = []
    questions: list[tuple[Any, ...]] = []
    evidence: list[tuple[Any, ...]] = []
    contents: dict[str, bytes] = {}
    left = Counter[str]()
    for path in files:
        held = json_of(path, max_bytes=settings.max_bytes)
        split = next((side for name, side in SIDES.items() if path.name.lower().startswith(name)), "test")
        prefix = f"{path.stem}/" if len(files) > 1 else ""
        try:
            for place, article in enumerate(held["data"]):
                article_name = f"{prefix}{place:03d}"
                group = article.get("title") or article_name
                for number, paragraph in enumerate(article["paragraphs"]):
                    name, text = f"{article_name}_{number:02d}.txt", paragraph["context"]
                    documents.append((name, group, split))
                    contents[name] = text.encode()
                    for asked in paragraph["qas"]:
                        answers = _answers(asked, text, left)
                        if answers is None:
                            continue
                        key = f"{prefix}{asked['id']}"
                        reason = "" if answers else IMPOSSIBLE
                        questions.append(
                            (key, asked["question"], "", answers[0][2] if answers else "", "", split, reason)
                        )
                        evidence += [(key, name, 1, start, end, quote) for start, end, quote in answers]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"corpus: {path}: expected data with paragraphs, context, qas and answers, {error!r} is missing"
            ) from None
    return Corpus(
        layout="squad",
        documents=rows(DOCUMENTS, documents),
        questions=rows(QUESTIONS, questions),
        evidence=rows(EVIDENCE, evidence),
        document_files=contents,
        left_out=+left,
    )


def _answers(asked: Any, text: str, left: Counter[str]) -> list[tuple[int, int, str]] | None:
    """Ranges and texts of the different answers; None where those given are all misplaced."""
    if asked.get("is_impossible"):
        return []
    found: dict[tuple[int, int], str] = {}
    for answer in asked["answers"]:
        start, quote = answer["answer_start"], answer["text"]
        if quote and text[start : start + len(quote)] == quote:
            found.setdefault((start, start + len(quote)), quote)
        else:
            left[MISPLACED] += 1
    ranges = [(*squeezed_range(text, start, end), quote) for (start, end), quote in found.items()]
    return ranges or None
