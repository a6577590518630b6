"""The responder as a served model: messages or a recording in, a cited answer out; what cannot be read is one line."""

import base64
import json
import math
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.tracking import conftest as stores
from tests.twins.person.selves import FACTS, Parrot, small_self
from tests.twins.served import serving
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import read_audio, wav_bytes
from twinloop.errors import InputError
from twinloop.tracking.execution import find_or_create
from twinloop.tracking.store import Store
from twinloop.twins.person.serving.responder import register_responder, save_responder

empty_store, store = stores.empty_store, stores.store
TONE = Audio(0.2 * np.sin(np.arange(8000) * 2 * math.pi * 220 / 16_000).astype(np.float32), 16_000)
WARRANTY = "When does the warranty on the pump end?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    save_responder(folder / "model", folder=small_self(folder / "self"))
    return folder / "model"


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


def posted(url: str, body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{url}/invocations", json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        got: dict[str, Any] = json.load(answer)
    return got


def ask(url: str, *said: str, **custom: Any) -> dict[str, Any]:
    """What is answered to the last of the messages, which are the user's and the assistant's in turn."""
    roles = ("user", "assistant")
    messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]
    got: dict[str, Any] = posted(url, {"input": messages, "custom_inputs": custom})["custom_outputs"]
    return got


def refused(url: str, body: Any) -> str:
    with pytest.raises(urllib.error.HTTPError) as caught:
        posted(url, body)
    assert caught.value.code == 400
    said = str(json.load(caught.value)["message"])
    assert "\n" not in said
    assert len(said) <= 310
    return said


def test_a_message_is_answered_with_its_citation_and_what_each_part_took(url: str) -> None:
    whole = posted(url, {"input": [{"role": "user", "content": WARRANTY}]})
    (content,) = whole["output"][0]["content"]
    assert "The warranty on the pump ends on 3 March 2027." in content["text"]
    (cited,) = content["annotations"]
    assert (cited["type"], cited["filename"], cited["page"]) == ("file_citation", "contract.txt", 1)
    assert content["text"][cited["index"] :].startswith("The warranty on the pump")
    told = whole["custom_outputs"]
    assert told["citations"] == ["contract.txt, page 1, characters 0 to 46"]
    assert (told["heard"], told["refused"], told["reason"], told["audio"]) == (WARRANTY, False, "", None)
    assert set(told["seconds"]) == {"find", "answer"}
    assert all(seconds > 0 for seconds in told["seconds"].values())


def test_what_no_document_says_is_refused_with_the_reason(url: str) -> None:
    told = ask(url, "Who discovered penicillin in London?")
    assert told["refused"]
    assert told["citations"] == []
    assert told["reason"] == "My documents do not say."


def test_the_messages_before_complete_a_short_question(url: str) -> None:
    told = ask(url, "What did the oven in April cost?", "400 euros.", "and in May?")
    assert told["question"] == "What did the oven in May cost?"
    assert "350 euros" in told["answer"]
    assert "ask it in full" in ask(url, "and in May?")["answer"], "the request before is another conversation"


def test_of_the_messages_the_eleventh_is_forgotten(url: str) -> None:
    first = ("What did the oven in April cost?", "400 euros.")
    assert "350 euros" in ask(url, *first, *("ok", "yes") * 4, "and in May?")["answer"]
    assert "ask it in full" in ask(url, *first, *("ok", "yes") * 5, "and in May?")["answer"]


def test_sliders_of_a_request_change_the_wording_and_not_the_citation(url: str) -> None:
    dry = {"formality": 0.5, "enthusiasm": 0.0, "verbosity": 0.0, "humour": 0.0}
    short = ask(url, WARRANTY, persona=dry)
    thrilled = ask(url, WARRANTY, persona=dry | {"enthusiasm": 1.0, "verbosity": 1.0})
    assert "!" in thrilled["answer"]
    assert "!" not in short["answer"]
    assert len(thrilled["answer"]) > len(short["answer"])
    assert thrilled["citations"][0] == short["citations"][0]


def recorded(content: bytes, *, address: bool = False) -> dict[str, Any]:
    data = base64.b64encode(content).decode()
    part = {
        "type": "input_file",
        "filename": "q.wav",
        "file_data": f"data:audio/wav;base64,{data}" if address else data,
    }
    return {"input": [{"role": "user", "content": [part]}]}


def test_a_self_without_ears_declines_a_recording_and_stays_text(url: str) -> None:
    told = posted(url, recorded(wav_bytes(TONE)))["custom_outputs"]
    assert told["refused"]
    assert "please type it" in told["answer"]
    assert ask(url, WARRANTY, speak=True)["audio"] is None


def test_a_recording_is_heard_and_the_reply_spoken_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Parrot.install(monkeypatch, hears=WARRANTY.lower())
    save_responder(
        tmp_path / "model", folder=small_self(tmp_path / "self", speech_to_text="parrot", text_to_speech="parrot")
    )
    with serving(tmp_path / "model") as url:
        for address in (False, True):
            silent = posted(url, recorded(wav_bytes(TONE), address=address))["custom_outputs"]
            assert silent["heard"] == WARRANTY.lower()
            assert silent["citations"] == ["contract.txt, page 1, characters 0 to 46"]
            assert silent["audio"] is None
            assert set(silent["seconds"]) == {"hear", "find", "answer"}
        wrapped = recorded(b"")
        wrapped["input"][0]["content"][0]["file_data"] = base64.encodebytes(wav_bytes(TONE)).decode()
        assert posted(url, wrapped)["custom_outputs"]["heard"] == WARRANTY.lower()
        told = ask(url, WARRANTY, speak=True)
        spoken = read_audio(base64.b64decode(told["audio"])).audio
        assert spoken.seconds == pytest.approx(0.1 * len(told["answer"].split()), abs=0.01)
        assert told["seconds"]["speak"] > 0


BAD = {
    "expected the user's question as the last of the messages": {"input": []},
    'expected a JSON object like {"input"': {"input": WARRANTY},
    'expected a JSON object like {"input": [{"role"': {"input": [{"role": "owner", "content": "x"}]},
    "persona: formality = 1.2: expected a number ≤ 1": {
        "input": [{"role": "user", "content": "x"}],
        "custom_inputs": {"persona": {"formality": 1.2}},
    },
    "persona: formalty": {
        "input": [{"role": "user", "content": "x"}],
        "custom_inputs": {"persona": {"formalty": 0.2}},
    },
    "custom_inputs: speek": {"input": [{"role": "user", "content": "x"}], "custom_inputs": {"speek": True}},
    "expected at most 200 messages, got 201": {"input": [{"role": "user", "content": "x"}] * 201},
    "expected at most 100000 characters": {"input": [{"role": "user", "content": "x" * 100_001}]},
    "recording: expected sound, the file is empty": recorded(b""),
    "recording: expected WAV, FLAC, OGG or MP3, got a text": recorded(b"no sound at all, just words"),
    "expected file_data in base64": {
        "input": [{"role": "user", "content": [{"type": "input_file", "file_data": "not base64!"}]}]
    },
    "it holds none": {"input": [{"role": "user", "content": [{"type": "input_file"}]}]},
    "expected a text or a recording, got both": {
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "When?"}, *recorded(b"a")["input"][0]["content"]],
            }
        ]
    },
    "expected one recording, got 2": {
        "input": [{"role": "user", "content": recorded(b"a")["input"][0]["content"] * 2}]
    },
    "parts as the Responses interface has them": {
        "input": [{"role": "user", "content": [{"type": "input_sound", "data": "x"}]}]
    },
}


@pytest.mark.parametrize("reason", BAD)
def test_every_bad_request_is_one_line_with_status_400(url: str, reason: str) -> None:
    assert reason in refused(url, BAD[reason])


def test_a_recording_that_is_cut_off_or_silent_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = wav_bytes(TONE)
    Parrot.install(monkeypatch, hears="")
    save_responder(tmp_path / "model", folder=small_self(tmp_path / "self", speech_to_text="parrot"))
    with serving(tmp_path / "model") as url:
        for content in (whole[: len(whole) // 2], wav_bytes(Audio(np.zeros(8000, np.float32), 16_000))):
            assert posted(url, recorded(content))["custom_outputs"]["answer"] == "I heard no words."
        hour = Audio(np.zeros(121 * 4000, np.float32), 4000)
        assert "expected at most 120 s" in refused(url, recorded(wav_bytes(hour)))


def test_questions_of_ten_thousand_words_and_in_another_script_are_answered(url: str) -> None:
    told = ask(url, " ".join([WARRANTY, *["pump"] * 10_000]))
    assert len(told["question"].split()) == 200
    assert told["answer"]
    assert ask(url, "ポンプの保証はいつ終わりますか。")["refused"]


def test_a_provider_that_fails_ends_its_turn_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Parrot.install(monkeypatch, hears=WARRANTY, fails=1)
    save_responder(tmp_path / "model", folder=small_self(tmp_path / "self", speech_to_text="parrot"))
    with serving(tmp_path / "model") as url:
        first, second = (posted(url, recorded(wav_bytes(TONE)))["custom_outputs"] for _ in range(2))
    assert first["failed"] == "hear: parrot: no answer within 5 s"
    assert first["reason"] == first["failed"]
    assert "Please try again" in first["answer"]
    assert (second["failed"], second["refused"]) == ("", False)


def test_many_at_once_get_each_their_own_answer(url: str) -> None:
    asked = {"Who painted the boat?": "Carla", WARRANTY: "3 March 2027", "What did the oven in May cost?": "350 euros"}
    questions = [*asked] * 20
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(lambda question: ask(url, question)["answer"], questions))
    for question, answer in zip(questions, answers, strict=True):
        assert asked[question] in answer


def test_the_saved_model_is_source_and_data(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pyc")]
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert "python_model" not in described["flavors"]["python_function"], "that would be a pickle"
    assert described["metadata"]["task"] == "agent/v1/responses"
    assert "torch" not in (folder / "requirements.txt").read_text()


def test_the_same_self_is_registered_once_and_another_one_anew(store: Store, tmp_path: Path) -> None:
    execution = find_or_create(store, twin="person", key="k")

    def registered(**more: str) -> str:
        return register_responder(store, execution, folder=small_self(tmp_path / "self", FACTS | more), card="a card")

    assert [registered(), registered()] == ["1", "1"]
    assert registered(**{"new.txt": "Something new."}) == "2"
    assert store.client.get_model_version("person-responder", "1").description == "a card"
    with pytest.raises(InputError, match="there is none: run `python -m twinloop repro person`"):
        register_responder(store, execution, folder=tmp_path / "nobody", card="")
