"""Who speaks when in a recording of several people, and how much of it is attributed wrongly.

Windows of speech are grouped by the angle between their vectors (average linkage), into as many groups as people are
there: an invitation says how many.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.activity import speech_segments, stretch
from twinloop.dialogue.speech.audio import RATE, resampled
from twinloop.dialogue.speech.speakers.encoder import SpeakerEncoder
from twinloop.dialogue.speech.speakers.windows import FRAMES, HOP, raised, window_starts
from twinloop.errors import InputError

# How finely errors are counted.
BIN_S = 0.02


class Spoke(NamedTuple):
    """From when to when somebody speaks, in seconds; speaker: a name, or a number where nobody is known by name."""

    start_s: float
    end_s: float
    speaker: str


def who_speaks(encoder: SpeakerEncoder, audio: Audio, *, speakers: int) -> list[Spoke]:
    """Who speaks when, in order; speakers are numbered from 1 as they come in.

    speakers: how many there are; so many are told apart where there is speech enough, also where fewer speak. Raises
    InputError for fewer than one, and where nobody speaks.
    """
    if speakers < 1:
        raise InputError(f"speakers: expected at least one in a recording, got {speakers}: say how many there are")
    heard = resampled(audio, RATE)
    heard = Audio(raised(heard.samples), RATE)
    spans, vectors = list[tuple[float, float]](), []
    for segment in speech_segments(heard, encoder.pauses):
        samples = stretch(heard, segment).samples
        starts = window_starts(len(samples))
        vectors.append(encoder.encode_windows(samples))
        # Between the middles of two windows that overlap, each keeps its half.
        middles = [segment.start_s + (start + FRAMES / 2) * HOP / RATE for start in starts]
        borders = [(one + other) / 2 for one, other in pairwise(middles)]
        spans += zip([segment.start_s, *borders], [*borders, segment.end_s], strict=True)
    if not spans:
        raise InputError(f"speakers: expected speech, found none in {audio.seconds:.1f} s: record it again")
    groups = _grouped(np.concatenate(vectors), speakers)
    names = {group: str(place + 1) for place, group in enumerate(dict.fromkeys(groups))}
    return _joined([Spoke(*span, names[group]) for span, group in zip(spans, groups, strict=True)])


def diarisation_error(found: Sequence[Spoke], true: Sequence[Spoke]) -> float:
    """Speech that is missed, made up or another's, per second of speech, speakers matched as well as can be.

    As NIST counts it, without leave around borders. Raises InputError where nobody speaks in truth.
    """
    end_s = max((spoke.end_s for spoke in (*found, *true)), default=0.0)
    heard, spoken = (_activity(turns, round(end_s / BIN_S)) for turns in (found, true))
    if not spoken.any():
        raise InputError("speakers: expected turns of at least one speaker, got none: nothing can be judged")
    together = spoken.astype(int) @ heard.T.astype(int)
    rows, columns = linear_sum_assignment(together, maximize=True)
    right = int(together[rows, columns].sum())
    wrong = np.maximum(spoken.sum(axis=0), heard.sum(axis=0)).sum() - right
    return float(wrong / spoken.sum())


def _grouped(vectors: NDArray[np.float32], most: int) -> list[int]:
    if len(vectors) == 1:
        return [1]
    groups = fcluster(
        linkage(vectors, method="average", metric="cosine"), min(most, len(vectors)), criterion="maxclust"
    )
    return [int(group) for group in groups]


def _joined(turns: Sequence[Spoke]) -> list[Spoke]:
    """The same, what one speaker says without a pause as one."""
    joined: list[Spoke] = []
    for turn in turns:
        if joined and joined[-1].speaker == turn.speaker and joined[-1].end_s == turn.start_s:
            joined[-1] = joined[-1]._replace(end_s=turn.end_s)
        else:
            joined.append(turn)
    return joined


def _activity(turns: Sequence[Spoke], bins: int) -> NDArray[np.bool_]:
    """[speakers, bins] whether each speaks."""
    names = list(dict.fromkeys(turn.speaker for turn in turns))
    active = np.zeros((len(names), bins), bool)
    for turn in turns:
        active[names.index(turn.speaker), round(turn.start_s / BIN_S) : round(turn.end_s / BIN_S)] = True
    return active
