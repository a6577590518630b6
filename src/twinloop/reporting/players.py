"""Recordings on a page: players that carry their sound with them, so that a page asks nobody and needs no script."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from twinloop.errors import InputError
from twinloop.numbers import quantity

# Of all recordings of one page together: a minute of 16 kHz in 16 bits has 1.9 MB.
MOST_BYTES = 6_000_000
MEGABYTE = 1e6


@dataclass(frozen=True)
class Recorded:
    """A WAV file's content, what it is, and what is said in it. Raises InputError for anything but WAV."""

    name: str
    wav: bytes
    caption: str
    text: str = ""

    def __post_init__(self) -> None:
        if self.wav[:4] != b"RIFF" or self.wav[8:12] != b"WAVE":
            raise InputError(
                f"report: {self.name}: expected a WAV file, found something else: run the evaluation again"
            )


@dataclass(frozen=True)
class Players:
    """A player for each recording; those beyond `most_bytes` together are named with their size instead.

    nothing: the sentence that stands there without any.
    """

    recordings: Sequence[Recorded]
    nothing: str = "There is no recording to play."
    most_bytes: int = MOST_BYTES

    def __html__(self) -> str:
        """Safe markup: every text is escaped."""
        if not self.recordings:
            return str(Markup("<p>{}</p>").format(self.nothing))
        room, parts = self.most_bytes, []
        for one in self.recordings:
            room -= len(one.wav)
            parts.append(_player(one) if room >= 0 else _left_out(one))
        return str(Markup('<div class="players">{}</div>').format(Markup("").join(parts)))

    def _repr_html_(self) -> str:
        return self.__html__()


def _player(one: Recorded) -> Markup:
    said = Markup("<q>{}</q>").format(one.text) if one.text else Markup("")
    sound = "data:audio/wav;base64," + base64.b64encode(one.wav).decode()
    player = Markup('<audio controls preload="metadata" aria-label="{}" src="{}"></audio>').format(one.caption, sound)
    return Markup("<figure><figcaption><b>{}</b> {}</figcaption>{}</figure>").format(one.caption, said, player)


def _left_out(one: Recorded) -> Markup:
    size = quantity(len(one.wav) / MEGABYTE, "MB", digits=2)
    return Markup("<p><b>{}</b> is too large for this page ({}): play {}.</p>").format(one.caption, size, one.name)
