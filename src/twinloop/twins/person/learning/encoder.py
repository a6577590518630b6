"""An encoder learnt from a person's own questions and the passages that answer them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from twinloop.dialogue.evaluation.questions import Asked, relevant
from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.models.bert import BertShape
from twinloop.dialogue.training.encoder import MONITOR, TrainedEncoder, fit_encoder
from twinloop.dialogue.training.pairs import Pair, cloze_pairs
from twinloop.dialogue.training.settings import EncoderTrainingSettings
from twinloop.files import write_json
from twinloop.twins.person.data.known import Known
from twinloop.twins.person.files import SHAPE

# Passages on a side; of fewer none can be told from another.
LEAST = 2


def pairs_of(known: Known, asked: Sequence[Asked], settings: IndexSettings) -> list[Pair]:
    """Questions, in both of their wordings, with the passage that answers each."""
    index = known.index(None, settings)
    texts = {(chunk.document, chunk.number): chunk.text for entry in index.entries for chunk in entry.chunks}
    return [
        Pair(one.text, texts[min(right)]) for one in known.worded(asked) if (right := relevant(index, one.evidence))
    ]


def learn(
    known: Known,
    sides: tuple[Sequence[Asked], Sequence[Asked]],
    folder: Path,
    settings: EncoderTrainingSettings,
    *,
    index: IndexSettings,
    seed: int,
    state: Path | None = None,
    show: str | None = MONITOR,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> TrainedEncoder:
    """Learn an encoder from the questions of the first side, choose its epoch by those of the second, write it.

    Words are learnt from passages of the first side alone. Where a side has too few questions, as documents by
    themselves have none, sentences are asked that are torn out of their passages.
    """
    learnt_from, chosen_by = (pairs_of(known, side, index) for side in sides)
    if min(len({pair.passage for pair in pairs}) for pairs in (learnt_from, chosen_by)) < LEAST:
        learnt_from, chosen_by = _torn(known, index, seed)
    fitted = fit_encoder(learnt_from, chosen_by, folder, settings, seed=seed, state=state, show=show, on_epoch=on_epoch)
    write_json(folder / SHAPE, {"shape": asdict(BertShape(settings.layers, settings.heads))})
    return fitted


def _torn(known: Known, settings: IndexSettings, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Sentences of every passage with its rest; those of every third passage choose the epoch."""
    passages = [chunk.text for entry in known.index(None, settings).entries for chunk in entry.chunks]
    held = passages[::3]
    learnt_from = [passage for passage in passages if passage not in held]
    return tuple(cloze_pairs(side, 2 * len(side), seed=seed) for side in (learnt_from, held))  # type: ignore[return-value]
