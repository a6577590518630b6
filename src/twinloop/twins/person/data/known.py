"""What prepare left, as the later stages take it: a person's documents, and the questions of each split."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.config import Invalid, parse
from twinloop.dialogue.datasets import stored
from twinloop.dialogue.datasets.corpus import Corpus
from twinloop.dialogue.evaluation.corpora import Library, asked, library
from twinloop.dialogue.evaluation.questions import Asked
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.sentences import sentences
from twinloop.dialogue.knowledge.settings import IndexSettings, ReadingSettings
from twinloop.dialogue.knowledge.tuning import tuned
from twinloop.dialogue.models.bert import BertShape
from twinloop.dialogue.providers.protocols import Audio, Encoder
from twinloop.dialogue.speech.audio import read_audio
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.twins.person.files import LEAKY_SPLIT, SEGMENTS, SHAPE, SPOKEN

# Words of a sentence that is said, and how many of them, where nobody asks anything.
LONGEST, MOST_SENTENCES = 30, 60


@dataclass(frozen=True, eq=False)
class Known:
    """A person's corpus and what of it can be read. spoken: which recording is of which question or meeting.

    segments: who speaks when in the meetings that were spoken. leaky: question → split, dealt out without a look at
    documents or templates; for comparison only.
    """

    corpus: Corpus
    read: Library
    spoken: pl.DataFrame
    leaky: pl.DataFrame
    segments: pl.DataFrame

    @classmethod
    def load(cls, folder: Path, reading: ReadingSettings) -> "Known":
        """What prepare wrote. Raises InputError where it is not there, or not as it was written."""
        corpus = stored.load(folder)
        spoken, leaky, segments = (pl.read_parquet(folder / name) for name in (SPOKEN, LEAKY_SPLIT, SEGMENTS))
        return cls(corpus, library(corpus, reading), spoken, leaky, segments)

    def asked(self, split: str) -> tuple[Asked, ...]:
        """The questions of a split that keeps documents and templates together."""
        return tuple(one for one in self._asked if self._splits[one.name] == split)

    def asked_leaky(self, split: str) -> tuple[Asked, ...]:
        """Those of the split that does not."""
        splits = dict(self.leaky.iter_rows())
        return tuple(one for one in self._asked if splits.get(one.name) == split)

    def worded(self, asked: Sequence[Asked]) -> list[Asked]:
        """Each question in its own words and, where there are others, in those."""
        others = dict(self.corpus.questions.select("question", "paraphrase").iter_rows())
        return [one._replace(text=text) for one in asked for text in (one.text, others[one.name]) if text]

    def index(self, encoder: Encoder | None, settings: IndexSettings) -> Index:
        """All that the person knows, to be found."""
        index = Index(encoder, settings)
        for document in self.read.all:
            index.add(document)
        return index

    def audio(self, recording: str) -> Audio:
        """What a recording holds."""
        return read_audio(self.corpus.recording_files[recording]).audio

    @cached_property
    def _asked(self) -> tuple[Asked, ...]:
        return asked(self.corpus, self.read)

    @cached_property
    def _splits(self) -> dict[str, str]:
        return dict(self.corpus.questions.select("question", "split").iter_rows())


def sentences_of(known: Known) -> list[str]:
    """Of documents about which nobody asks anything, what they say themselves."""
    pages = [page.text for document in known.read.all for page in document.pages if page.text]
    first = [text[start:end] for text in pages for start, end in sentences(text, most_words=LONGEST)[:1]]
    return [text for text in first if any(sign.isalnum() for sign in text)][:MOST_SENTENCES]


def tuned_index(path: Path, given: IndexSettings) -> tuple[IndexSettings, str]:
    """The configured settings with the tuned values, and where these come from. Raises InputError without any."""
    if not path.is_file():
        raise InputError(f"person: {path}: expected the tuned values, found none: run the tune stage first")
    chosen: dict[str, Any] = read_json(path)
    try:
        return tuned(given, chosen["values"]), str(chosen["source"])
    except (ValueError, KeyError) as error:
        raise InputError(
            f"person: {path}: its values do not fit the configured index ({str(error).splitlines()[0]}): "
            "run the tune stage again"
        ) from error


def shape_of(folder: Path) -> BertShape:
    """Of the encoder that was learnt into a folder. Raises InputError where there is none."""
    path = folder / SHAPE
    if not path.is_file():
        raise InputError(f"person: {path}: expected an encoder that was learnt here, found none: run the train stage")
    try:
        return parse(BertShape, read_json(path)["shape"])
    except (Invalid, KeyError, ValueError) as error:
        raise InputError(f"person: {path}: is not what was written ({error}): run the train stage again") from None
