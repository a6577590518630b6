"""Meetings: what was decided and promised is said in the turn that the truth names, and the sound follows the table."""

import numpy as np
import pytest

from twinloop.dialogue.providers.protocols import Audio, Spoken, Usage
from twinloop.dialogue.synthetic.meetings import ACTION, Meeting
from twinloop.dialogue.synthetic.person import person
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.synthetic.speaking import assigned_voices, speak
from twinloop.errors import InputError

RATE = 8000
VOICES = ("low", "middle", "high", "highest", "spare")


class Tones:
    """A voice for whoever needs none: a tone per voice, as long as the text."""

    def __init__(self, odd: str = "") -> None:
        self.odd = odd

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        assert voice is not None
        rate = RATE // 2 if voice == self.odd else RATE
        pitch = 200.0 * (1 + VOICES.index(voice))
        samples = 0.8 * np.sin(2 * np.pi * pitch * np.arange(len(text) * 400) / rate)
        return Spoken(Audio(samples.astype(np.float32), rate), Usage(0.0))


@pytest.fixture(scope="module")
def meetings() -> list[Meeting]:
    return [met for seed in range(4) for met in person(PersonSettings(speakers=5), seed=seed).meetings]


def test_everybody_speaks_and_every_topic_has_a_decision_and_an_action(meetings: list[Meeting]) -> None:
    for met in meetings:
        assert {turn.speaker for turn in met.turns} == set(met.speakers)
        assert len(met.speakers) == 5
        assert [outcome.kind for outcome in met.outcomes] == ["decision", "action"] * 4


def test_outcomes_are_said_in_their_turn_by_who_owns_them(meetings: list[Meeting]) -> None:
    for met in meetings:
        for outcome in met.outcomes:
            turn = met.turns[outcome.turn]
            assert outcome.what in turn.text
            if outcome.kind == ACTION:
                assert turn.speaker == outcome.who
                request = met.turns[outcome.turn - 1]
                assert request.speaker == met.speakers[0]
                assert outcome.what in request.text
                assert outcome.due > met.day.isoformat()


def test_numbers_are_in_words(meetings: list[Meeting]) -> None:
    assert not any(character.isdigit() for met in meetings for turn in met.turns for character in turn.text)


def test_sound_is_where_the_table_says_and_turns_overlap_slightly(meetings: list[Meeting]) -> None:
    met = meetings[0]
    audio, segments = speak(met, Tones(), assigned_voices(met.speakers, VOICES), seed=1)
    again = speak(met, Tones(), assigned_voices(met.speakers, VOICES), seed=1)
    assert np.array_equal(audio.samples, again.audio.samples)
    begin, end = segments["begin_s"].to_numpy(), segments["end_s"].to_numpy()
    gaps = begin[1:] - end[:-1]
    assert (gaps < 0).any()
    assert (gaps > 0).any()
    assert gaps.min() >= -0.4 - 1e-9
    assert (begin[2:] >= end[:-2]).all(), "no more than two at once"
    covered = np.zeros(len(audio.samples), dtype=bool)
    for first, last in zip(begin, end, strict=True):
        covered[round(first * RATE) : round(last * RATE)] = True
    assert np.abs(audio.samples[~covered]).max() == 0
    assert np.abs(audio.samples).max() <= 0.9 + 1e-6
    assert audio.seconds == pytest.approx(end.max())


def test_too_few_voices_and_voices_of_other_rates_are_refused(meetings: list[Meeting]) -> None:
    met = meetings[0]
    with pytest.raises(InputError, match="a voice for each of 5 speakers, found 4"):
        assigned_voices(met.speakers, ["low", "middle", "high", "highest", "low"])
    with pytest.raises(InputError, match="voices of one rate, found 8000 and 4000 Hz"):
        speak(met, Tones(odd="high"), assigned_voices(met.speakers, VOICES), seed=1)
