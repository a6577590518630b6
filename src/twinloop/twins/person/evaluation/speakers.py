"""How well speakers are told apart whom nothing was learnt from, by the encoder that is trained here and the published
one: equal error rates over pairs of recordings, and who speaks when in meetings.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from twinloop.dialogue.speech.speakers.diarisation import Spoke, diarisation_error, who_speaks
from twinloop.dialogue.speech.speakers.encoder import SpeakerEncoder
from twinloop.dialogue.speech.speakers.verification import verification
from twinloop.dialogue.speech.speakers.windows import Voiced
from twinloop.errors import RunError
from twinloop.learning.weights import Places
from twinloop.numbers import Interval
from twinloop.progress import say
from twinloop.twins.person.chain import hub_cache
from twinloop.twins.person.config import PUBLISHED, TRAINED
from twinloop.twins.person.data.known import Known

VERIFIED: dict[str, Any] = {
    "encoder": pl.String,
    "eer": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "speakers": pl.Int64,
    "recordings": pl.Int64,
}
DIARISED: dict[str, Any] = {"encoder": pl.String, "meeting": pl.String, "speakers": pl.Int64, "error": pl.Float64}


def speaker_encoders(learnt: Path) -> dict[str, SpeakerEncoder]:
    """Those that can be had: the one trained here, then the published one."""
    found = {TRAINED: SpeakerEncoder(learnt)} if learnt.is_file() else {}
    # torch, to read the published weights.
    from twinloop.dialogue.speech.speakers.export import export_speaker_encoder

    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "speaker.onnx"
        try:
            export_speaker_encoder(Places(hub_cache=hub_cache()), graph)
        except RunError as reason:
            say(f"evaluate: the published speaker encoder is left out: {reason}")
            return found
        return {**found, PUBLISHED: SpeakerEncoder(graph)}


def verified(encoders: Mapping[str, SpeakerEncoder], recordings: Sequence[Voiced], **drawn: Any) -> pl.DataFrame:
    """Equal error rates; columns as in VERIFIED. drawn: of `verification`."""
    names = [one.speaker for one in recordings]
    if len(set(names)) < 2:
        return pl.DataFrame(schema=VERIFIED)
    rows = []
    for name, encoder in encoders.items():
        vectors = [encoder.encode(one.audio, name=f"a recording of {one.speaker}") for one in recordings]
        rate = verification(np.stack(vectors), names, **drawn)
        rows.append((name, rate.mean, rate.low, rate.high, len(set(names)), len(names)))
    return pl.DataFrame(rows, schema=VERIFIED, orient="row")


def diarised(encoders: Mapping[str, SpeakerEncoder], known: Known) -> pl.DataFrame:
    """Who speaks in the meetings whose turns are known; columns as in DIARISED."""
    rows = []
    for recording, meeting in known.spoken.drop_nulls("meeting").select("recording", "meeting").rows():
        turns = known.segments.filter(meeting=meeting).select("begin_s", "end_s", "speaker").rows()
        true, audio = [Spoke(*turn) for turn in turns], known.audio(recording)
        many = len({turn.speaker for turn in true})
        for name, encoder in encoders.items():
            error = diarisation_error(who_speaks(encoder, audio, speakers=many), true)
            rows.append((name, meeting, many, error))
    return pl.DataFrame(rows, schema=DIARISED, orient="row")


def rate_of(verified: pl.DataFrame, encoder: str) -> Interval | None:
    """The equal error rate of an encoder, None where it was not judged."""
    own = verified.filter(encoder=encoder)
    return Interval(*own.select("eer", "low", "high").row(0)) if len(own) else None


def error_of(diarised: pl.DataFrame, encoder: str) -> float | None:
    """The mean diarisation error of an encoder over meetings, None without any."""
    own = diarised.filter(encoder=encoder)["error"]
    return float(own.mean()) if len(own) else None  # type: ignore[arg-type]
