"""Settings of reading, chunking and finding; free of every library that does it."""

from dataclasses import field
from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Share = Annotated[float, Field(ge=0, le=1)]


@settings
class ReadingSettings:
    """What is read at most; beyond it a document is refused. encoding: of texts that are not Unicode, None: detect it.

    max_bytes: of a file; max_characters: of its text, however small the file is.
    """

    max_bytes: Annotated[int, Field(ge=1)] = 64 * 1024 * 1024
    max_pages: Annotated[int, Field(ge=1)] = 2000
    max_characters: Annotated[int, Field(ge=1)] = 10_000_000
    encoding: Annotated[str, Field(min_length=1)] | None = None


@settings
class ChunkSettings:
    """Chunks of whole sentences, in words. overlap: words of the chunk before that are said again, in whole sentences.

    turns: of a conversation that make one chunk; its chunks do not overlap. piece: words that share a vector, since an
    encoder reads only so many at once, and a vector of much text means little of it.
    """

    words: Annotated[int, Field(ge=8, le=2000)] = 120
    overlap: Annotated[int, Field(ge=0, le=1000)] = 30
    turns: Annotated[int, Field(ge=1, le=1000)] = 8
    piece: Annotated[int, Field(ge=4, le=400)] = 160

    def __post_init__(self) -> None:
        if self.overlap * 2 > self.words:
            raise ValueError(f"overlap = {self.overlap}: expected at most half of words = {self.words}")


@settings
class LexicalSettings:
    """BM25 (Robertson and Zaragoza, 2009) in Lucene's form. k1: how soon a word's repetition stops to count.

    b: how much a long chunk's words count less. stems: whether endings of English words are cut. pairs: what words that
    stand side by side as in the question count beside single ones. asking: what words that only ask ("summarize",
    "tell") count beside others. The last two were chosen on QMSum's training meetings.
    """

    k1: Annotated[float, Field(ge=0, le=10)] = 1.2
    b: Share = 0.4
    stems: bool = True
    pairs: Annotated[float, Field(ge=0, le=10)] = 1.0
    asking: Share = 0.2


@settings
class RetrievalSettings:
    """How the two kinds of score become one. lexical: weight of the words, the rest is that of the meaning.

    whole: within the meaning of a chunk, weight of its pieces together, the rest is that of the best one.
    neighbours: what a chunk of a conversation borrows from those beside it; reach: how far; fading: what each step
    farther weighs. documents: what it borrows from the best chunks of its document; best: how many. matter: what it
    borrows from the words of its document as one text. A document that is no conversation lends nothing between its
    chunks. All were chosen on QMSum's training meetings.
    """

    lexical: Share = 0.75
    whole: Share = 0.5
    neighbours: Annotated[float, Field(ge=0, le=10)] = 1.5
    reach: Annotated[int, Field(ge=1, le=100)] = 4
    fading: Annotated[float, Field(gt=0, le=1)] = 0.5
    documents: Annotated[float, Field(ge=0, le=10)] = 2.0
    best: Annotated[int, Field(ge=1, le=1000)] = 3
    matter: Annotated[float, Field(ge=0, le=10)] = 1.5


@settings
class IndexSettings:
    """All that decides how a question finds its chunks, but for the encoder."""

    chunks: ChunkSettings = field(default_factory=ChunkSettings)
    lexical: LexicalSettings = field(default_factory=LexicalSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
