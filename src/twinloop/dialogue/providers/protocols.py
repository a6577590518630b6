"""What a conversation asks of its parts. Whatever fulfils a protocol can be exchanged for any other that does.

Every call returns its result with what it took: a turn is measured where it happens, never estimated afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError

Vectors = NDArray[np.float32]


class ProviderError(RunError):
    """A provider failed, was late or answered what cannot be used: the turn is kept, the next one may work."""


class Audio(NamedTuple):
    """Sound of one channel: samples within -1 … 1 (shape: samples,) and their rate in Hz."""

    samples: NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Usage:
    """What one call took.

    seconds: by the clock; cpu_seconds: of this process (0 where another machine worked); tokens and audio_seconds
    where they are what is counted; price in the currency of the configuration.
    """

    seconds: float
    cpu_seconds: float = 0.0
    tokens: int = 0
    audio_seconds: float = 0.0
    price: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        """Of both calls together."""
        return Usage(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            self.tokens + other.tokens,
            self.audio_seconds + other.audio_seconds,
            self.price + other.price,
        )


class Heard(NamedTuple):
    """The text of a recording."""

    text: str
    usage: Usage


class HeardTogether(NamedTuple):
    """The texts of several recordings, in their order, and what all of them took."""

    texts: tuple[str, ...]
    usage: Usage


class Spoken(NamedTuple):
    """The recording of a text."""

    audio: Audio
    usage: Usage


class Encoded(NamedTuple):
    """Vectors of unit length, one per text (shape: texts, dimensions)."""

    vectors: Vectors
    usage: Usage


class Message(NamedTuple):
    """One message of a conversation; role is system, user or assistant."""

    role: str
    text: str


class Written(NamedTuple):
    """What a language model wrote; cut_off: whether it was stopped before it had ended."""

    text: str
    usage: Usage
    cut_off: bool = False


@runtime_checkable
class SpeechToText(Protocol):
    """Hears."""

    def transcribe(self, audio: Audio) -> Heard:
        """The words of a recording. Raises ProviderError where the provider fails."""
        ...


@runtime_checkable
class HearsTogether(SpeechToText, Protocol):
    """Hears several recordings at once too, each as it is heard alone; what a recogniser may leave out."""

    def transcribe_together(self, recordings: Sequence[Audio]) -> HeardTogether:
        """The words of each recording. Raises ProviderError where the provider fails."""
        ...


@runtime_checkable
class TextToSpeech(Protocol):
    """Speaks."""

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        """A recording of a text. Raises ProviderError where the provider fails, InputError for an unknown voice."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Places texts where those of like meaning lie near each other."""

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over what decides its vectors: an index made by another one is refused."""
        ...

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Unit vectors of texts. Raises ProviderError where the provider fails."""
        ...


@runtime_checkable
class EncodesTogether(Encoder, Protocol):
    """Places several texts at once too, where each alone lies but for rounding; what an encoder may leave out."""

    def encode_together(self, texts: Sequence[str]) -> Encoded:
        """Unit vectors of texts. Raises ProviderError where the provider fails."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """Writes."""

    def complete(self, messages: Sequence[Message], *, most_tokens: int = 256) -> Written:
        """The next message of the assistant. Raises ProviderError where the provider fails."""
        ...


@runtime_checkable
class Storage(Protocol):
    """Keeps files by name, wherever they lie."""

    def read(self, name: str) -> bytes:
        """The content under a name. Raises InputError where there is none."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Keep content under a name; all of it or, on an error, what was there before."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """What is kept, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Forget a name. Raises InputError where there is none."""
        ...
