"""What a part of a turn takes for several turns at once, where whoever plays it can work on them together."""

from collections.abc import Callable, Sequence
from typing import Any

from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import EncodesTogether, HearsTogether
from twinloop.twins.person.chain import Chain
from twinloop.twins.person.evaluation.conversed import Put

# What works on several turns at once, and what it is given of each.
Work = tuple[Callable[[Sequence[Any]], object], Sequence[Any]]
SIZES = (1, 2, 4, 8)
# Turns that are held for every turn of the largest batch: the time of a batch goes with a conversation's.
HELD = 10


def batches(chain: Chain, questions: Sequence[Put], turns: int) -> dict[str, dict[int, float]]:
    """Part → number of turns worked on together → CPU seconds of all, of parts that can.

    The same questions in batches of every size, the largest a tenth of `turns` that are held; none where that is one.
    """
    largest = max((size for size in SIZES if size <= min(len(questions), turns // HELD)), default=1)
    if largest == 1:
        return {}
    sizes = [size for size in SIZES if size <= largest]
    work = _work(chain, questions[:largest])
    return {part: {size: _seconds(take, of_turns, size) for size in sizes} for part, (take, of_turns) in work.items()}


def _work(chain: Chain, put: Sequence[Put]) -> dict[str, Work]:
    work = dict[str, Work]()
    recordings = [one.audio for one in put if one.audio is not None]
    if isinstance(chain.ears, HearsTogether) and len(recordings) == len(put):
        work["hear"] = chain.ears.transcribe_together, recordings
    if isinstance(chain.index.encoder, EncodesTogether):
        passages = chain.heard.passages
        work["find"] = lambda texts: chain.index.search_together(texts, passages), [one.text for one in put]
    return work


def _seconds(take: Callable[[Sequence[Any]], object], of_turns: Sequence[Any], size: int) -> float:
    """Mean CPU seconds of a batch."""
    measured = stopwatch()
    for start in range(0, len(of_turns), size):
        take(of_turns[start : start + size])
    return measured().cpu_seconds * size / len(of_turns)
