"""Services that hear and speak are asked in their own terms; what is no text and no sound is refused."""

from typing import Any

import numpy as np
import pytest

from tests.dialogue.server import LocalServer, endless, says, stops_halfway
from twinloop.dialogue.providers.protocols import Audio, ProviderError, SpeechToText, TextToSpeech
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import RATE, read_audio, wav_bytes

TONE = Audio((0.5 * np.sin(np.arange(RATE) * 0.2)).astype(np.float32), RATE)


def opened(role: Any, server: LocalServer, **values: Any) -> Any:
    quick = {"attempts": 1, "timeout_s": 20.0}
    given = {"address": server.address, "model": "small", "resilience": quick, "most_bytes": 1 << 20} | values
    return open_provider(role, "http", given, Surroundings())


def test_a_recording_is_sent_as_a_file_and_heard(server: LocalServer) -> None:
    server.answers = [says({"text": " On Monday. "})]
    ears: SpeechToText = opened("speech_to_text", server, price_per_audio_minute=0.6)
    heard = ears.transcribe(Audio(TONE.samples[::2], RATE // 2))
    assert heard.text == "On Monday."
    assert (heard.usage.audio_seconds, heard.usage.price) == (1.0, pytest.approx(0.01))
    assert server.paths == ["/v1/audio/transcriptions"]
    sent = server.bodies[0]
    assert b'name="model"\r\n\r\nsmall' in sent
    assert b'name="language"\r\n\r\nen' in sent
    recording = sent[sent.index(b"RIFF") :]
    assert read_audio(recording[: recording.rindex(b"\r\n--")]).audio.seconds == 1.0


@pytest.mark.parametrize("record", [{}, {"text": None}, {"text": ["a"]}, {"error": "busy"}])
def test_what_is_no_text_is_refused(server: LocalServer, record: object) -> None:
    server.answers = [says(record)]
    with pytest.raises(ProviderError, match="speech to text: expected text"):
        opened("speech_to_text", server).transcribe(TONE)


def test_a_text_is_spoken(server: LocalServer) -> None:
    server.answers = [says(wav_bytes(TONE))]
    mouth: TextToSpeech = opened("text_to_speech", server, voice="alloy", price_per_million_characters=15.0)
    spoken = mouth.speak("Good morning.", voice="nova")
    np.testing.assert_allclose(spoken.audio.samples, TONE.samples, atol=1e-4)
    assert spoken.usage.price == pytest.approx(13 * 15e-6)
    assert server.last == {"model": "small", "input": "Good morning.", "voice": "nova", "response_format": "wav"}
    mouth.speak("Good morning.")
    assert server.last["voice"] == "alloy"


@pytest.mark.parametrize("content", [b"", b"{}", b"RIFF\x00\x00\x00\x00WAVE", b"ID3 nothing"])
def test_what_is_no_sound_is_refused(server: LocalServer, content: bytes) -> None:
    server.answers = [says(content)]
    with pytest.raises(ProviderError, match="text to speech: expected a WAV recording"):
        opened("text_to_speech", server, voice="alloy").speak("Good morning.")


def test_after_a_failure_the_next_turn_works(server: LocalServer) -> None:
    cut_off = stops_halfway({"text": "x" * 1000})
    server.answers = [cut_off, endless(mebibytes=100), says(b"<html>"), says({"text": "Yes."})]
    ears: SpeechToText = opened("speech_to_text", server)
    for reason in ("stopped in the middle", "longer than 1 MiB", "expected JSON"):
        with pytest.raises(ProviderError, match=reason):
            ears.transcribe(TONE)
    assert ears.transcribe(TONE).text == "Yes."
