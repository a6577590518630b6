"""Settings of answers; free of every library that makes them."""

from dataclasses import field
from typing import Annotated

from pydantic import Field

from twinloop.config import settings

MOST_WEIGHT = 10.0
Weight = Annotated[float, Field(ge=-MOST_WEIGHT, le=MOST_WEIGHT)]


@settings
class SelectorSettings:
    """What makes a sentence an answer, as weights of a sum; they can be learnt (`training.selector`).

    words: the share of the question's words in it, by rarity among all chunks and among the sentences compared;
    meaning: its cosine with the question; context: the share of the words in it or the sentence before it; kind:
    something of the kind asked for (a number, a time, a name …); passage: the score of its chunk; asking: that it is a
    question itself; left: its cosine with what is left of the question without names and without the words that several
    sentences of the likeliest document say; document: the share of the question's words in its whole document, of those
    that any document says; names: that of the question's names and numbers, and of strange words before known ones
    ("the sailing course"). most_words: of a sentence, longer ones are cut.
    """

    words: Weight = 1.0
    meaning: Weight = 1.0
    context: Weight = 0.3
    kind: Weight = 0.2
    passage: Weight = 1.0
    asking: Weight = -0.5
    left: Weight = 0.0
    document: Weight = 0.0
    names: Weight = 0.0
    most_words: Annotated[int, Field(ge=8, le=200)] = 60


@settings
class RefusalSettings:
    """When nothing found is an answer: where the confidence in the best sentence is below `threshold`.

    The confidence is offset and the best sentence's scores with these weights, each as `SelectorSettings` has it. Those
    of words and meaning were fitted as log odds to queries on summaries of QMSum's training meetings and to sentences
    of these with words left out, each with and without what answers it. What the others mean depends on the library:
    their weights are 0 unless they are fitted to questions on that one (`refusal.fitted`). 0 is where a tenth of what
    can be answered is refused, asked by fictional persons of their papers.
    """

    words: Weight = 3.7
    meaning: Weight = 4.5
    passage: Weight = 0.0
    document: Weight = 0.0
    names: Weight = 0.0
    offset: Weight = -3.6
    threshold: Weight = 0.0


@settings
class AnswerSettings:
    """How a question is answered. passages: chunks that are looked through; statements: sentences of an answer at most.

    supported: share of a generated sentence's words that the passage it cites must hold.
    """

    passages: Annotated[int, Field(ge=1, le=100)] = 5
    statements: Annotated[int, Field(ge=1, le=20)] = 2
    supported: Annotated[float, Field(ge=0, le=1)] = 0.6
    selector: SelectorSettings = field(default_factory=SelectorSettings)
    refusal: RefusalSettings = field(default_factory=RefusalSettings)
