"""A person's self as it is served, an agent of MLflow's Responses interface: MLflow executes this file, nothing is
pickled.

A request holds messages as `input`, the oldest first; the last one is the question, those before are what it refers to.
A question is a text, or a recording as a part {"type": "input_file", "file_data": base64 or a data: address}.
`custom_inputs` may hold `persona` (sliders from 0 to 1) and `speak` (whether the reply is to be spoken). In
`custom_outputs` come back heard, question, answer, citations, refused and reason, failed, seconds per part, and the
reply's audio as a WAV file in base64. What cannot be read is refused with status 400 and one line.
"""

import base64
import binascii
import dataclasses
import uuid
from pathlib import Path
from typing import Any

import mlflow
import mlflow.models
from mlflow.pyfunc.model import ResponsesAgent
from mlflow.types.responses import ResponsesAgentRequest, ResponsesAgentResponse
from mlflow.types.responses_helpers import OutputItem

from twinloop.config import Invalid, parse, settings
from twinloop.dialogue.conversation.turn import Turn
from twinloop.dialogue.persona.settings import PersonaSettings
from twinloop.dialogue.providers.protocols import Audio, Message
from twinloop.dialogue.speech.audio import AudioSettings, read_audio, wav_bytes
from twinloop.errors import InputError
from twinloop.tracking.refused import Refused
from twinloop.twins.person.chain import open_self
from twinloop.twins.person.traces import add_parts

MOST_MESSAGES = 200
LONGEST_TEXT = 100_000
# Seconds: a question, not a meeting.
LONGEST_RECORDING = AudioSettings(longest_s=120.0)
EXPECTED = '{"input": [{"role": "user", "content": "..."}]}'


@settings
class Wishes:
    """What a request may ask for besides an answer. persona: slider → value, the others stay as they are."""

    persona: dict[str, float] = dataclasses.field(default_factory=dict)
    speak: bool = False


class ServedResponder(ResponsesAgent):
    """Answers posted questions; the artefact `self` is the folder of the export stage."""

    def load_context(self, context: Any) -> None:
        """Open the self with its providers, once for all requests."""
        self._chain = open_self(Path(context.artifacts["self"]))

    def predict(self, request: ResponsesAgentRequest) -> ResponsesAgentResponse:  # type: ignore[override]
        """One turn."""
        try:
            asked, history = question_of(request)
            wishes = wishes_of(request.custom_inputs)
            persona = sliders(self._chain.described.persona, wishes.persona)
        except InputError as error:
            raise Refused(str(error)) from None
        turn = self._chain.conversation(persona, history=history, speak=wishes.speak).say(asked)
        add_parts(turn, mlflow.get_current_active_span())
        item = self.create_text_output_item(turn.said, f"msg_{uuid.uuid4().hex}", annotations_of(turn))
        return ResponsesAgentResponse(output=[OutputItem(**item)], custom_outputs=told(turn))


def question_of(request: ResponsesAgentRequest) -> tuple[str | Audio, list[Message]]:
    """The question, typed or recorded, and the messages before it. Raises InputError where there is none."""
    messages = [item.model_dump() for item in request.input]
    if not messages or messages[-1].get("role") != "user":
        raise InputError(f"responder: expected the user's question as the last of the messages, as {EXPECTED}")
    if len(messages) > MOST_MESSAGES:
        raise InputError(
            f"responder: expected at most {MOST_MESSAGES} messages, got {len(messages)}: send the last ones"
        )
    *before, last = messages
    history = [Message(str(one["role"]), _text(one)) for one in before if one.get("role") in ("user", "assistant")]
    recordings = [part for part in _parts(last) if part.get("type") == "input_file"]
    if len(recordings) > 1:
        raise InputError(f"responder: expected one recording, got {len(recordings)}: send them one after the other")
    if recordings and _text(last).strip():
        raise InputError("responder: expected a text or a recording, got both: send them one after the other")
    return (_recording(recordings[0]) if recordings else _text(last)), history


def wishes_of(given: dict[str, Any] | None) -> Wishes:
    """custom_inputs, checked. Raises InputError for anything else than Wishes."""
    try:
        return parse(Wishes, given or {})
    except Invalid as error:
        raise InputError(f"responder: custom_inputs: {error}") from None


def sliders(own: PersonaSettings, given: dict[str, float]) -> PersonaSettings:
    """A persona with some of its sliders moved. Raises InputError for one that it does not have or beyond 0 to 1."""
    try:
        return parse(PersonaSettings, dataclasses.asdict(own) | given)
    except Invalid as error:
        raise InputError(f"persona: {error}") from None


def told(turn: Turn) -> dict[str, Any]:
    """A turn as plain values, without milliseconds: of a service the unit is seconds."""
    record = turn.record()
    del record["milliseconds"]
    audio = base64.b64encode(wav_bytes(turn.audio)).decode("ascii") if turn.audio is not None else None
    seconds = {part: usage.seconds for part, usage in turn.usage.items()}
    return {**record, "reason": turn.reason, "seconds": seconds, "audio": audio}


def annotations_of(turn: Turn) -> list[dict[str, Any]]:
    """Where each quoted or supported sentence of a reply stands, as the interface cites files."""
    statements = turn.answer.statements if turn.answer is not None else ()
    return [
        {
            "type": "file_citation",
            "file_id": one.citation.document,
            "filename": one.citation.name,
            "index": max(turn.said.find(one.text), 0),
            "page": one.citation.page,
        }
        for one in statements
    ]


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    text = content if isinstance(content, str) else " ".join(str(part.get("text") or "") for part in _parts(message))
    if len(text) > LONGEST_TEXT:
        raise InputError(f"responder: expected at most {LONGEST_TEXT} characters, got {len(text)}: shorten the message")
    return text


def _recording(part: dict[str, Any]) -> Audio:
    data = part.get("file_data")
    if not isinstance(data, str):
        raise InputError("responder: input_file: expected file_data, the recording in base64; it holds none")
    try:
        # Programs that encode break lines (RFC 2045).
        content = base64.b64decode("".join(data.rpartition(";base64,")[2].split()), validate=True)
    except (binascii.Error, ValueError):
        raise InputError("responder: input_file: expected file_data in base64, it is not: encode the file") from None
    return read_audio(content, settings=LONGEST_RECORDING).audio


mlflow.models.set_model(ServedResponder())
