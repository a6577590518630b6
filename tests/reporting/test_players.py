"""Players on a page: they bring their sound, no text becomes markup, and no page grows without a bound."""

import base64
import io
import wave
from html.parser import HTMLParser

import pytest

from twinloop.errors import InputError
from twinloop.reporting.players import MOST_BYTES, Players, Recorded

HOSTILE = '"><script>alert(1)</script>'


def sound(seconds: float) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * round(seconds * 16_000)))
    return content.getvalue()


class Reader(HTMLParser):
    """Collects elements and their attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_a_player_brings_the_very_recording() -> None:
    wav = sound(0.1)
    found = Reader(Players([Recorded("a.wav", wav, "Question 1", "When?")])._repr_html_()).elements
    (source,) = [attributes["src"] for tag, attributes in found if tag == "audio"]
    head, _, content = str(source).partition(",")
    assert head == "data:audio/wav;base64"
    assert base64.b64decode(content) == wav


def test_no_text_becomes_markup() -> None:
    players = Players([Recorded(HOSTILE, sound(0.1), HOSTILE, HOSTILE), Recorded(HOSTILE, sound(1), HOSTILE)], HOSTILE)
    for markup in (
        players.__html__(),
        Players(players.recordings, most_bytes=4000).__html__(),
        Players([], HOSTILE).__html__(),
    ):
        assert "script" not in {tag for tag, _ in Reader(markup).elements}


def test_what_would_make_a_page_too_large_is_named_with_its_size() -> None:
    markup = Players([Recorded("a.wav", sound(60), "One"), Recorded("meeting.wav", sound(200), "A meeting")]).__html__()
    assert markup.count("<audio") == 1
    assert "<b>A meeting</b> is too large for this page (6.4\u202fMB): play meeting.wav." in markup
    assert len(markup) < 1.5 * MOST_BYTES


def test_without_recordings_it_says_so() -> None:
    assert Players([], "Nothing was spoken.").__html__() == "<p>Nothing was spoken.</p>"


@pytest.mark.parametrize("content", [b"", b"<script>", b"RIFF\0\0\0\0AVI "])
def test_what_is_no_wav_file_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match=r"reply-1\.wav: expected a WAV file, found something else"):
        Recorded("reply-1.wav", content, "A reply")
