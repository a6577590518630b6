"""Voices of this machine speak what they are given, and say in one line what keeps them from it."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dialogue.speech.recordings import needs_espeak, needs_flite
from twinloop.dialogue.providers.protocols import ProviderError, TextToSpeech
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import RATE
from twinloop.dialogue.speech.voices.flite import Flite, FliteSettings, as_ascii
from twinloop.errors import LONGEST, InputError, RunError

BOTH = [pytest.param("flite", marks=needs_flite), pytest.param("espeak", marks=needs_espeak)]


def opened(name: str, **values: object) -> TextToSpeech:
    voice: TextToSpeech = open_provider("text_to_speech", name, values, Surroundings())
    return voice


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program called flite where it is found first; it lists its voices and then does as it is told."""

    def install(body: str) -> None:
        path = tmp_path / "flite"
        path.write_text(f'#!/bin/sh\n[ "$1" = -lv ] && {{ echo "Voices available: slt"; exit 0; }}\n{body}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


@pytest.mark.parametrize("name", BOTH)
def test_a_text_is_spoken_and_measured(name: str) -> None:
    spoken = opened(name).speak("The meeting is on Monday.")
    assert spoken.audio.rate == RATE
    assert 1.0 < spoken.audio.seconds < 4.0
    assert 0.01 < abs(spoken.audio.samples).max() <= 1.0
    assert spoken.usage.audio_seconds == spoken.audio.seconds
    assert spoken.usage.cpu_seconds > 0


@pytest.mark.parametrize("name", BOTH)
def test_the_same_text_sounds_the_same(name: str) -> None:
    voice = opened(name)
    one, other = (voice.speak("Good morning.").audio.samples for _ in range(2))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("name", "voices"),
    [
        pytest.param("flite", ("slt", "rms"), marks=needs_flite),
        pytest.param("espeak", ("en-us", "en-us+f3"), marks=needs_espeak),
    ],
)
def test_voices_differ(name: str, voices: tuple[str, str]) -> None:
    voice = opened(name)
    one, other = (voice.speak("Good morning.", voice=named).audio.samples for named in voices)
    assert one.tobytes() != other.tobytes()


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("unknown", ["nobody", "en-us+nobody", "-o/tmp/x", "http://127.0.0.1/voice.flitevox", ""])
def test_an_unknown_voice_is_refused(name: str, unknown: str) -> None:
    with pytest.raises(InputError, match="unknown name"):
        opened(name).speak("Good morning.", voice=unknown or "+")
    with pytest.raises(InputError, match=r"unknown name|voice"):
        opened(name, voice=unknown)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("text", ["", "  \n", "…?!"])
def test_a_text_without_a_word_is_refused(name: str, text: str) -> None:
    with pytest.raises(InputError, match="nothing to say"):
        opened(name).speak(text)


@needs_flite
def test_a_script_that_the_voice_cannot_read_is_refused_and_accents_are_read() -> None:
    with pytest.raises(InputError, match="nothing to say"):
        opened("flite").speak("Привет")
    assert as_ascii("Zoë’s “café” – 5 €") == 'Zoe\'s "cafe" - 5 euro '


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "text", ["--help", "-o /tmp/x hello", "$(touch /tmp/x) hello", "`id` hello", "<s>hello</s>; ls"]
)
def test_a_text_is_never_taken_for_an_option_or_a_command(name: str, text: str) -> None:
    assert opened(name).speak(text).audio.seconds > 0.3


@needs_flite
def test_a_voice_that_says_other_words_wrongly_is_not_offered() -> None:
    voice = Flite("flite", FliteSettings())
    assert "slt" in voice.voices
    with pytest.raises(InputError, match="unknown name 'awb_time'"):
        voice.speak("Good morning.", voice="awb_time")


@needs_flite
def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(InputError, match="at most 20000 characters, got 50000"):
        opened("flite").speak("word " * 10_000)


@pytest.mark.parametrize(("name", "program"), [("flite", "flite"), ("espeak", "espeak-ng")])
def test_a_missing_program_is_one_line_that_says_what_to_install(
    name: str, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError) as refused:
        opened(name)
    assert str(refused.value) == (
        f"voices: {program} is not installed: install the package {program} (apt-get install {program}), or go on "
        "without speech: the chain runs on text too"
    )


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("exec sleep 60", "voices: flite: no answer within 1 s"),
        ("echo broken voice >&2; exit 3", "voices: flite: failed (broken voice)"),
        ("kill -9 $$", "voices: flite: failed (exit status -9)"),
        ("exit 0", "voices: flite: made no sound of the text"),
        ('echo "no sound" > "$6"', "voices: flite: recording sound.wav: expected WAV"),
        (': > "$6"', "voices: flite: recording sound.wav: expected sound, the file is empty"),
    ],
)
def test_a_program_that_fails_is_one_line(program: Callable[[str], None], body: str, line: str) -> None:
    program(body)
    voice = Flite("flite", FliteSettings(timeout_s=1))
    with pytest.raises(ProviderError) as refused:
        voice.speak("Good morning.")
    assert str(refused.value).startswith(line)
    assert len(str(refused.value)) <= LONGEST
