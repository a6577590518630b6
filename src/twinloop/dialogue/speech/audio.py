"""Recordings read and written: one channel, the rate that a recogniser needs, and remarks on what may spoil hearing.

Files are read block by block, so that an hour of stereo never lies in memory as it came. What is not sound, or of which
nothing sensible is left, is refused; what can be used in spite of a fault is used, and the fault is named.
"""

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray
from pydantic import Field
from scipy.signal import resample_poly

from twinloop.config import settings
from twinloop.content import kind_of
from twinloop.dialogue.providers.protocols import Audio
from twinloop.errors import InputError
from twinloop.files import atomic

Samples = NDArray[np.float32]
# Samples per second of all recognisers here.
RATE = 16_000
FORMATS = ("WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF")
SUFFIXES = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
BLOCK_S = 30
FULL_SCALE = 0.999
# -60 dB of full scale: what the quietest speaker is above and a good room is below.
QUIETEST = 1e-3
NARROW_HZ = 12_000
# A writer into a pipe does not know the length yet and announces about 2 or 4 GiB.
UNKNOWN_LENGTH = 0x7FFF_0000
# No page of an OGG file is longer.
OGG_PAGE = 65_307
ANNOUNCED = re.compile(r"^data : (\d+) \(should be \d+\)", re.MULTILINE)


@settings
class AudioSettings:
    """longest_s: a longer recording is refused. clipped_share: of samples at full scale from which it is remarked."""

    longest_s: Annotated[float, Field(gt=0, le=86_400)] = 7200.0
    clipped_share: Annotated[float, Field(gt=0, le=1)] = 1e-3


class Recording(NamedTuple):
    """A recording and what may spoil it, in words."""

    audio: Audio
    remarks: tuple[str, ...]


@dataclass
class _Levels:
    """Sums over the blocks read so far, of the samples as they came: energy [channels] and of their mean."""

    energies: NDArray[np.float64]
    mean_energy: float = 0.0
    peak: float = 0.0
    clipped: int = 0
    samples: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, block: Samples) -> None:
        magnitudes = np.abs(block)
        self.energies += np.square(block, dtype=np.float64).sum(axis=0)
        self.mean_energy += float(np.square(block.mean(axis=1), dtype=np.float64).sum())
        self.peak = max(self.peak, float(magnitudes.max(initial=0.0)))
        self.clipped += int((magnitudes >= FULL_SCALE).any(axis=1).sum())
        self.samples += len(block)


def read_audio(source: Path | bytes, *, rate: int = RATE, settings: AudioSettings | None = None) -> Recording:
    """A recording from a file or its bytes, mixed down to one channel at `rate` Hz.

    Read: WAV, FLAC, OGG, MP3, AIFF, AU, CAF at any depth. Raises InputError for what is not such a file, for an empty,
    damaged or longer one than the settings allow.
    """
    settings = settings or AudioSettings()
    name = "recording" if isinstance(source, bytes) else f"recording {source.name}"
    try:
        with _opened(source, name) as file:
            _check(file, name, settings)
            samples, levels = _read(file, rate, name)
            if levels.energies.max() > 100 * levels.mean_energy:
                # Channels of opposite sign cancel each other: the louder one is heard alone.
                file.seek(0)
                samples, levels = _read(file, rate, name, channel=int(levels.energies.argmax()))
                levels.notes.append("its channels cancel each other: the louder one is used")
            if _is_cut_off(file, source):
                levels.notes.append(f"cut off after {levels.samples / file.samplerate:.1f} s: what is there is used")
            frame_rate = file.samplerate
    except soundfile.LibsndfileError:
        raise InputError(f"{name}: damaged or cut off: copy or record it again") from None
    if not len(samples):
        raise InputError(f"{name}: expected sound, it holds none: record it again")
    return Recording(Audio(samples, rate), (*_remarks(levels, settings, frame_rate), *levels.notes))


def resampled(audio: Audio, rate: int) -> Audio:
    """The same sound at another rate, by a polyphase filter (Kaiser window)."""
    if audio.rate == rate:
        return audio
    up, down = _ratio(audio.rate, rate)
    return Audio(np.asarray(resample_poly(audio.samples, up, down), np.float32), rate)


def write_audio(path: Path, audio: Audio) -> None:
    """Write .wav or .flac in 16 bits, or .ogg; whole or not at all. Raises InputError for another suffix."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"recording: {path.name}: expected a name that ends in {', '.join(SUFFIXES)}")
    kind, subtype = SUFFIXES[path.suffix.lower()]
    with atomic(path) as temporary:
        soundfile.write(temporary, _fitting(audio.samples), audio.rate, format=kind, subtype=subtype)


def wav_bytes(audio: Audio) -> bytes:
    """The recording as a WAV file of 16 bits."""
    content = io.BytesIO()
    soundfile.write(content, _fitting(audio.samples), audio.rate, format="WAV", subtype="PCM_16")
    return content.getvalue()


def pcm_bytes(audio: Audio) -> bytes:
    """The samples in 16 bits, little-endian, without a header."""
    return (_fitting(audio.samples) * 32767).round().astype("<i2").tobytes()


def _fitting(samples: Samples) -> Samples:
    return np.clip(samples, -1.0, 1.0)


def _opened(source: Path | bytes, name: str) -> soundfile.SoundFile:
    try:
        content = source[:4096] if isinstance(source, bytes) else _beginning(source)
    except (OSError, ValueError) as error:
        # A path may hold what no path can: ValueError.
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{name}: cannot be read ({reason}): name a file of sound") from None
    if not content:
        raise InputError(f"{name}: expected sound, the file is empty: record it again")
    try:
        return soundfile.SoundFile(io.BytesIO(source) if isinstance(source, bytes) else str(source))
    except soundfile.LibsndfileError as error:
        if "not recognised" not in error.error_string:
            raise
        kind = kind_of(content, name) or "a text"
        kind = "something else" if kind == "a binary file" else kind
        raise InputError(f"{name}: expected WAV, FLAC, OGG or MP3, got {kind}: convert or record it again") from None


def _end(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - OGG_PAGE, 0))
        return stream.read()


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(4096)


def _is_cut_off(file: soundfile.SoundFile, source: Path | bytes) -> bool:
    """Whether a file says that more should follow; FLAC that does cannot be read at all."""
    if file.format == "OGG":
        end = source[-OGG_PAGE:] if isinstance(source, bytes) else _end(source)
        page = end.rfind(b"OggS")
        # The last page of a stream says that it is (RFC 3533).
        return page < 0 or not end[page + 5] & 4
    announced = ANNOUNCED.search(file.extra_info)
    return announced is not None and int(announced[1]) < UNKNOWN_LENGTH


def _check(file: soundfile.SoundFile, name: str, settings: AudioSettings) -> None:
    if file.format not in FORMATS:
        raise InputError(f"{name}: expected WAV, FLAC, OGG or MP3, got {file.format}: convert it")
    if not 4_000 <= file.samplerate <= 400_000:
        raise InputError(f"{name}: expected 4 000 to 400 000 samples per second, got {file.samplerate}: convert it")
    seconds = file.frames / file.samplerate
    if seconds > settings.longest_s:
        raise InputError(
            f"{name}: expected at most {settings.longest_s:g} s, it lasts {seconds:.0f} s: cut it into parts"
        )


def _read(file: soundfile.SoundFile, rate: int, name: str, *, channel: int | None = None) -> tuple[Samples, _Levels]:
    """All of a file as one channel at `rate`; channel: one of its own instead of their mean."""
    levels = _Levels(np.zeros(file.channels))
    parts = []
    up, down = _ratio(file.samplerate, rate)
    # Half the filter's length in samples as they come, so that no block shows where it begins.
    margin = down * math.ceil(2 * 10 * max(up, down) / up / down) if up != down else 0
    step = down * math.ceil(BLOCK_S * file.samplerate / down)
    blocks = file.blocks(step + 2 * margin, overlap=2 * margin, dtype="float32", always_2d=True)
    for place, (block, last) in enumerate(_with_last(blocks)):
        fresh = block if place == 0 else block[2 * margin :]
        if not np.isfinite(fresh).all():
            raise InputError(f"{name}: holds samples that are no numbers: record it again")
        levels.add(fresh)
        mono = block.mean(axis=1) if channel is None else block[:, channel]
        resampled_block = mono if up == down else resample_poly(mono, up, down)
        begin = 0 if place == 0 else margin * up // down
        end = None if last else (margin + step) * up // down
        parts.append(np.asarray(resampled_block[begin:end], np.float32))
    samples = np.concatenate(parts) if parts else np.empty(0, np.float32)
    if levels.peak > 1.001:
        samples /= levels.peak
        levels.notes.append(f"beyond full scale: divided by {levels.peak:.3g}")
    return _fitting(samples), levels


def _with_last(blocks: Iterator[Samples]) -> Iterator[tuple[Samples, bool]]:
    """Every block, and whether it is the last. A block is copied: the reader may use its memory again."""
    before: Samples | None = None
    for block in blocks:
        if before is not None:
            yield before, False
        before = block.copy()
    if before is not None:
        yield before, True


def _ratio(given: int, wanted: int) -> tuple[int, int]:
    shared = math.gcd(given, wanted)
    return wanted // shared, given // shared


def _remarks(levels: _Levels, settings: AudioSettings, rate: int) -> Iterator[str]:
    if levels.peak < QUIETEST:
        yield "silent: nothing can be heard"
    if levels.clipped > settings.clipped_share * levels.samples:
        yield f"clipped: {levels.clipped / levels.samples:.1%} of it is at full scale: record it more quietly"
    if rate < NARROW_HZ:
        yield f"{rate} samples per second: above {rate // 2} Hz there is nothing, recognisers err more"
