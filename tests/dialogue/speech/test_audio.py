"""Recordings of every kind are read alike, remarked on, or refused in one line."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech import audio as audio_module
from twinloop.dialogue.speech.audio import (
    RATE,
    AudioSettings,
    pcm_bytes,
    read_audio,
    resampled,
    wav_bytes,
    write_audio,
)
from twinloop.errors import LONGEST, InputError

Samples = NDArray[np.float32]


def tone(rate: int = RATE, *, seconds: float = 1.0, hertz: float = 440.0, level: float = 0.5) -> Samples:
    times = np.arange(round(rate * seconds)) / rate
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def encoded(samples: NDArray[np.floating], rate: int = RATE, *, kind: str = "WAV", subtype: str = "PCM_16") -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, format=kind, subtype=subtype)
    return content.getvalue()


def pitch(samples: Samples, rate: int = RATE) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


@pytest.mark.parametrize(
    ("kind", "subtype", "tolerance"),
    [
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "FLOAT", 0),
        ("WAV", "PCM_U8", 1e-2),
        ("WAV", "ULAW", 3e-2),
        ("FLAC", "PCM_16", 1e-4),
        ("FLAC", "PCM_24", 1e-6),
        ("AIFF", "PCM_16", 1e-4),
        ("OGG", "VORBIS", 0.1),
    ],
)
def test_every_kind_of_file_gives_the_same_sound(kind: str, subtype: str, tolerance: float) -> None:
    recording = read_audio(encoded(tone(), kind=kind, subtype=subtype))
    assert recording.audio.rate == RATE
    np.testing.assert_allclose(recording.audio.samples, tone(), atol=tolerance)
    assert recording.remarks == ()


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_another_rate_becomes_the_recognisers(rate: int) -> None:
    recording = read_audio(encoded(tone(rate), rate))
    assert recording.audio.seconds == pytest.approx(1.0, abs=1e-3)
    assert pitch(recording.audio.samples) == pytest.approx(440, abs=1)
    assert [remark for remark in recording.remarks if "samples per second" not in remark] == []


def test_telephone_sound_is_read_and_remarked() -> None:
    (remark,) = read_audio(encoded(tone(8_000), 8_000)).remarks
    assert remark.startswith("8000 samples per second: above 4000 Hz there is nothing")


def test_channels_are_mixed_down() -> None:
    stereo = np.stack([tone(), np.zeros(RATE)], axis=1)
    np.testing.assert_allclose(read_audio(encoded(stereo)).audio.samples, tone() / 2, atol=1e-4)


def test_channels_that_cancel_each_other_are_not_mixed() -> None:
    recording = read_audio(encoded(np.stack([-0.9 * tone(), tone()], axis=1)[:, ::-1]))
    assert np.abs(recording.audio.samples).max() == pytest.approx(0.5, abs=0.01)
    recording = read_audio(encoded(np.stack([tone(), -tone()], axis=1)))
    assert np.abs(recording.audio.samples).max() == pytest.approx(0.5, abs=0.01)
    assert recording.remarks == ("its channels cancel each other: the louder one is used",)


def test_silence_is_remarked() -> None:
    assert read_audio(encoded(np.zeros(RATE))).remarks == ("silent: nothing can be heard",)


def test_clipping_is_remarked_with_its_share() -> None:
    clipped = np.clip(3 * tone(), -1, 1)
    (remark,) = read_audio(encoded(clipped)).remarks
    share = float((np.abs(clipped) >= 0.999).mean())
    assert remark.startswith(f"clipped: {share:.1%} of it is at full scale")


def test_sound_beyond_full_scale_is_scaled_not_cut() -> None:
    recording = read_audio(encoded(tone(level=4.0), subtype="FLOAT"))
    np.testing.assert_allclose(recording.audio.samples, tone(level=1.0), atol=1e-3)
    assert "beyond full scale: divided by 4" in recording.remarks


def test_a_file_that_was_cut_off_is_used_up_to_there_and_remarked() -> None:
    whole = encoded(tone(seconds=2))
    recording = read_audio(whole[: len(whole) // 2])
    assert recording.audio.seconds == pytest.approx(1.0, abs=0.01)
    assert recording.remarks == ("cut off after 1.0 s: what is there is used",)


def test_a_file_from_a_pipe_whose_length_was_not_known_is_whole() -> None:
    content = bytearray(encoded(tone()))
    at = content.index(b"data") + 4
    content[at : at + 4] = (0x7FFF_F000).to_bytes(4, "little")
    assert read_audio(bytes(content)).remarks == ()


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_flac_that_was_cut_off_is_refused(share: float) -> None:
    whole = encoded(tone(seconds=5), kind="FLAC")
    with pytest.raises(InputError, match="^recording: damaged or cut off: copy or record it again$"):
        read_audio(whole[: int(len(whole) * share)])


def test_ogg_that_was_cut_off_is_used_up_to_there_and_remarked(tmp_path: Path) -> None:
    noise = np.random.default_rng(6).uniform(-0.5, 0.5, 5 * RATE)
    whole = encoded(noise, kind="OGG", subtype="VORBIS")
    (tmp_path / "cut.ogg").write_bytes(whole[: len(whole) * 9 // 10])
    for source in (tmp_path / "cut.ogg", whole[: len(whole) * 9 // 10]):
        (remark,) = read_audio(source).remarks
        assert remark.startswith("cut off after")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "recording: expected sound, the file is empty"),
        (encoded(np.empty(0)), "recording: expected sound, it holds none"),
        (b"%PDF-1.7 ...", "recording: expected WAV, FLAC, OGG or MP3, got a PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "recording: expected WAV, FLAC, OGG or MP3, got a PNG image"),
        (b"Hello, this is a transcript.", "recording: expected WAV, FLAC, OGG or MP3, got a text"),
        (bytes(range(1, 256)) + b"\x00", "recording: expected WAV, FLAC, OGG or MP3, got something else"),
        (b"RIFF\x00\x00\x00\x00WAVE", "recording: damaged or cut off"),
        (encoded(np.array([0.1, np.nan]), subtype="FLOAT"), "recording: holds samples that are no numbers"),
        (encoded(np.array([0.1, np.inf]), subtype="FLOAT"), "recording: holds samples that are no numbers"),
        (encoded(tone(2_000), 2_000), "recording: expected 4 000 to 400 000 samples per second, got 2000"),
    ],
    # A WAV of floats holds the time at which it was written.
    ids=["empty", "no samples", "PDF", "PNG", "text", "bytes", "cut off", "NaN", "infinite", "too slow"],
)
def test_what_is_no_sound_is_refused_in_one_line(content: bytes, line: str) -> None:
    with pytest.raises(InputError) as refused:
        read_audio(content)
    assert str(refused.value).startswith(line)
    assert len(str(refused.value)) <= LONGEST


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.wav", tmp_path):
        with pytest.raises(InputError, match=rf"recording {path.name}: cannot be read"):
            read_audio(path)


def test_an_hour_is_read_and_more_than_the_limit_is_refused_by_its_length() -> None:
    hour = encoded(np.zeros(3600 * 4_000), 4_000, subtype="PCM_U8")
    assert read_audio(hour, rate=4_000).audio.seconds == 3600
    with pytest.raises(InputError, match="expected at most 1800 s, it lasts 3600 s: cut it into parts$"):
        read_audio(hour, settings=AudioSettings(longest_s=1800))


@given(
    rate=st.sampled_from([8_000, 22_050, 44_100, 48_000]),
    frames=st.integers(1, 30_000),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_block_shows_where_it_begins(rate: int, frames: int, seed: int) -> None:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, frames).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audio_module, "BLOCK_S", 0.05)
        read = read_audio(encoded(samples, rate, subtype="FLOAT"), rate=RATE).audio
    whole = resampled(Audio(samples, rate), RATE)
    np.testing.assert_allclose(read.samples, np.clip(whole.samples, -1, 1), atol=1e-5)


def test_resampling_is_the_polyphase_filter_of_scipy() -> None:
    np.testing.assert_array_equal(
        resampled(Audio(tone(44_100), 44_100), RATE).samples, resample_poly(tone(44_100), 160, 441)
    )


@pytest.mark.parametrize(("suffix", "tolerance"), [(".wav", 1e-4), (".flac", 1e-4), (".ogg", 0.1), (".WAV", 1e-4)])
def test_what_is_written_is_read(tmp_path: Path, suffix: str, tolerance: float) -> None:
    path = tmp_path / f"spoken{suffix}"
    write_audio(path, Audio(tone(), RATE))
    np.testing.assert_allclose(read_audio(path).audio.samples, tone(), atol=tolerance)


def test_the_same_sound_is_written_as_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, Audio(tone(), RATE))
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes() == wav_bytes(Audio(tone(), RATE))


def test_a_suffix_that_nothing_is_written_as_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"spoken.mp9: expected a name that ends in .wav"):
        write_audio(tmp_path / "spoken.mp9", Audio(tone(), RATE))


def test_samples_beyond_full_scale_do_not_wrap_around() -> None:
    samples = np.array([-2.0, -1.0, 0.0, 1.0, 2.0], np.float32)
    assert np.frombuffer(pcm_bytes(Audio(samples, RATE)), "<i2").tolist() == [-32767, -32767, 0, 32767, 32767]
