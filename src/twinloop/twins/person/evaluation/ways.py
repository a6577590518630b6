"""The ways in which the questions held out are put and answered: typed, heard, by words alone, in another manner."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.evaluation.questions import Answering, Asked, judged
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.models.sentence_encoder import TOKENIZER, WEIGHTS, SentenceEncoder
from twinloop.dialogue.persona.settings import SLIDERS
from twinloop.dialogue.providers.protocols import Encoder
from twinloop.dialogue.speech.normaliser import normalised
from twinloop.twins.person.chain import Chain, answers_in
from twinloop.twins.person.config import NONE, TRAINED
from twinloop.twins.person.data.known import Known, shape_of
from twinloop.twins.person.evaluation.judged import Ways, in_words
from twinloop.twins.person.evaluation.manner import said
from twinloop.twins.person.files import ENCODER, LEAKY_ENCODER
from twinloop.twins.person.learning.refusal import calibrated, weighed

Texts = Mapping[str, Sequence[str]]


def all_ways(chain: Chain, known: Known, learnt: Path, heard: Texts, *, most: int) -> Ways:
    """The typed questions and every other way that can be had.

    heard: question → what the chain's ears made of each recording of it. most: questions of each kind, 0 for all.
    Other encoders refuse as large a share of the validation questions as the chain does.
    """
    asked = _some(known.asked("test"), most)
    answering: Answering = chain.answers.answer
    ways = Ways.of(chain.index, answering, asked)
    texts = [(place, text) for place, one in enumerate(asked) for text in heard.get(one.name, ())]
    ways.put(
        "spoken",
        chain.index,
        chain.heard.answer,
        [(place, chain.index.spelt(normalised(asked[place].text))) for place, _ in texts],
    )
    spelt = [(place, chain.index.spelt(text)) for place, text in texts]
    ways.put("recognised", chain.index, chain.heard.answer, spelt)
    paraphrases = dict(known.corpus.questions.select("question", "paraphrase").iter_rows())
    reworded = {place: paraphrases[one.name] for place, one in enumerate(asked) if paraphrases[one.name]}
    ways.put("paraphrased", chain.index, answering, reworded)
    ways.put("other persona", chain.index, in_other_words(chain), ways.as_asked())

    refused = _refused(answering, chain.index, known.asked("val"), chain.answers.passages)

    def found_by(encoder: Encoder | None, asked: Callable[[str], Sequence[Asked]]) -> tuple[Index, Answering]:
        """All documents found by another encoder, its refusal weighed and calibrated on the questions of a split."""
        index = known.index(encoder, chain.index.settings)
        own = weighed(index, chain.described.answers, known.worded(asked("train")))
        texts = [one.text for one in known.worded(asked("val")) if one.evidence]
        return index, ExtractiveAnswers(index, calibrated(index, own, texts, refused=refused)).answer

    if chain.index.encoder is not None:
        ways.put("by words", *found_by(None, known.asked), ways.as_asked())
    if chain.described.providers.encoder.name != TRAINED:
        ways.put("own encoder", *found_by(_learnt(learnt / ENCODER), known.asked), ways.as_asked())
    index, leaky = found_by(_learnt(learnt / LEAKY_ENCODER), known.asked_leaky)
    if others := _some(known.asked_leaky("test"), most):
        ways.leaky = judged(index, leaky, others)
    return ways


def _refused(answering: Answering, index: Index, asked: Sequence[Asked], passages: int) -> float:
    """The share of what can be answered that is refused."""
    given = [answering(one.text, index.search(one.text, passages)).refused for one in asked if one.evidence]
    return sum(given) / len(given) if given else 0.0


def in_other_words(chain: Chain) -> Answering:
    """The chain's answers in the opposite manner: every slider on its other side."""
    own = chain.own.persona
    other = replace(own, **{name: 1.0 - getattr(own, name) for name in SLIDERS})
    if chain.described.providers.language_model.name != NONE:
        return answers_in(chain, other).answer
    return in_words(chain.answers.answer, lambda extract: said(chain, extract, other))


def _learnt(folder: Path) -> SentenceEncoder:
    return SentenceEncoder(folder / WEIGHTS, folder / TOKENIZER, shape=shape_of(folder))


def _some(asked: Sequence[Asked], most: int) -> tuple[Asked, ...]:
    """The first ones of each kind, with an answer and without."""
    if not most:
        return tuple(asked)
    kinds = [[one for one in asked if bool(one.evidence) == answerable][:most] for answerable in (True, False)]
    kept = {one.name for kind in kinds for one in kind}
    return tuple(one for one in asked if one.name in kept)
