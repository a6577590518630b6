"""A meeting's script as sound, by whatever speaks: gaps between turns, slight overlaps, and who is heard when."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from twinloop.dialogue.providers.protocols import Audio, TextToSpeech
from twinloop.dialogue.synthetic.meetings import Meeting
from twinloop.dialogue.synthetic.words import SPEAKING, stream
from twinloop.errors import InputError

# Between turns people leave 0.2 s as a rule and often begin before the other has ended (Stivers et al. 2009).
GAP_S, GAP_SPREAD_S = 0.2, 0.25
LONGEST_OVERLAP_S, LONGEST_GAP_S = 0.4, 1.2
PEAK = 0.9
# Of a turn's peak, what is silence at its ends: begin and end are those of the sound.
SILENCE = 0.01


class SpokenMeeting(NamedTuple):
    """The recording, and a row per turn: turn, speaker, voice, text, begin_s, end_s."""

    audio: Audio
    segments: pl.DataFrame


def assigned_voices(speakers: Sequence[str], voices: Sequence[str]) -> dict[str, str]:
    """A voice of their own for everybody. Raises InputError for fewer voices than speakers, or one given twice."""
    different = list(dict.fromkeys(voices))
    if len(different) < len(speakers):
        raise InputError(
            f"meeting: expected a voice for each of {len(speakers)} speakers, found {len(different)}: name more voices "
            "or lower PersonSettings.speakers"
        )
    return dict(zip(speakers, different, strict=False))


def speak(meeting: Meeting, speech: TextToSpeech, voices: Mapping[str, str], *, seed: int) -> SpokenMeeting:
    """Every turn by its speaker's voice. A speaker never overlaps with themselves, and no more than two are heard.

    Raises InputError for voices of different rates.
    """
    rng = stream(seed, SPEAKING, int.from_bytes(meeting.name.encode()) % 2**32)
    spoken = [_trimmed(speech.speak(turn.text, voices[turn.speaker]).audio) for turn in meeting.turns]
    rate = spoken[0].rate
    other = next((audio.rate for audio in spoken if audio.rate != rate), rate)
    if other != rate:
        raise InputError(f"meeting: expected voices of one rate, found {rate} and {other} Hz: choose others")
    begins, ends = [0], [len(spoken[0].samples)]
    for number in range(1, len(spoken)):
        gap = float(np.clip(rng.normal(GAP_S, GAP_SPREAD_S), -LONGEST_OVERLAP_S, LONGEST_GAP_S))
        if meeting.turns[number].speaker == meeting.turns[number - 1].speaker:
            gap = abs(gap)
        # Nobody begins before the turn before last is over.
        begin = max(ends[-1] + round(gap * rate), ends[-2] if number > 1 else 0, begins[-1])
        begins.append(begin)
        ends.append(begin + len(spoken[number].samples))
    track = np.zeros(max(ends), dtype=np.float32)
    for begin, end, audio in zip(begins, ends, spoken, strict=True):
        track[begin:end] += audio.samples
    track *= PEAK / max(float(np.abs(track).max()), PEAK)
    segments = pl.DataFrame(
        {
            "turn": range(len(spoken)),
            "speaker": [turn.speaker for turn in meeting.turns],
            "voice": [voices[turn.speaker] for turn in meeting.turns],
            "text": [turn.text for turn in meeting.turns],
            "begin_s": [begin / rate for begin in begins],
            "end_s": [end / rate for end in ends],
        }
    )
    return SpokenMeeting(Audio(track, rate), segments)


def _trimmed(audio: Audio) -> Audio:
    level = np.abs(audio.samples)
    loud = np.flatnonzero(level > SILENCE * level.max(initial=0.0))
    return Audio(audio.samples[loud[0] : loud[-1] + 1], audio.rate) if len(loud) else audio
