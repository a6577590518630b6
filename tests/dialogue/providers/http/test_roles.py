"""What a service answers becomes text and vectors, or is refused where it is neither."""

from typing import Any

import numpy as np
import pytest

from tests.dialogue.server import LocalServer, says
from twinloop.dialogue.providers.protocols import Audio, Encoder, LanguageModel, Message, ProviderError
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings

QUICK = {"attempts": 1, "timeout_s": 20.0}


def opened(role: Any, server: LocalServer, **values: Any) -> Any:
    given = {"address": server.address, "model": "small", "resilience": QUICK} | values
    return open_provider(role, "http", given, Surroundings())


def test_a_language_model_is_given_the_conversation_and_writes(server: LocalServer) -> None:
    server.answers = [says({"choices": [{"message": {"content": "On Monday."}}], "usage": {"total_tokens": 30}})]
    model: LanguageModel = opened("language_model", server, price_per_million_tokens=2.0)
    written = model.complete([Message("system", "Be brief."), Message("user", "When?")], most_tokens=8)
    assert written.text == "On Monday."
    assert (written.usage.tokens, written.usage.price) == (30, pytest.approx(6e-5))
    assert server.paths == ["/v1/chat/completions"]
    assert server.last["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "When?"},
    ]
    assert (server.last["model"], server.last["max_tokens"], server.last["temperature"]) == ("small", 8, 0.0)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"choices": []},
        {"choices": "text"},
        {"choices": [{"message": {"content": None}}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"text": "old"}]},
    ],
)
def test_what_is_no_message_is_refused(server: LocalServer, record: object) -> None:
    server.answers = [says(record)]
    with pytest.raises(ProviderError, match="choices"):
        opened("language_model", server).complete([Message("user", "When?")])


@pytest.mark.parametrize(
    ("choice", "text", "cut_off"),
    [
        ({"message": {"content": "On Mon"}, "finish_reason": "length"}, "On Mon", True),
        ({"message": {"content": None}, "finish_reason": "length"}, "", True),
        ({"message": {"content": "On Mon"}, "finish_reason": "content_filter"}, "On Mon", True),
        ({"message": {"content": "On Monday."}, "finish_reason": "stop"}, "On Monday.", False),
        ({"message": {"content": "On Monday."}, "finish_reason": ["?"]}, "On Monday.", False),
    ],
)
def test_a_text_that_the_service_stopped_is_known_as_cut_off(
    server: LocalServer, choice: object, text: str, cut_off: bool
) -> None:
    server.answers = [says({"choices": [choice]})]
    written = opened("language_model", server).complete([Message("user", "When?")])
    assert (written.text, written.cut_off) == (text, cut_off)


@pytest.mark.parametrize("usage", [None, {"total_tokens": "many"}, {"total_tokens": -5}, {"total_tokens": 10**400}, []])
def test_tokens_that_were_not_counted_cost_nothing(server: LocalServer, usage: object) -> None:
    server.answers = [says({"choices": [{"message": {"content": "Yes."}}], "usage": usage})]
    written = opened("language_model", server, price_per_million_tokens=2.0).complete([Message("user", "?")])
    assert (written.usage.tokens, written.usage.price) == (0, 0.0)


def test_what_no_file_or_terminal_can_take_of_a_text_becomes_blanks(server: LocalServer) -> None:
    server.answers = [says({"choices": [{"message": {"content": "On\x00Mon\ud800day.\n\x1b[31mYes."}}]})]
    assert opened("language_model", server).complete([Message("user", "?")]).text == "On Mon day.\n [31mYes."
    server.answers = [says({"text": "on\x00monday"})]
    silence = Audio(np.zeros(1600, np.float32), 16_000)
    assert opened("speech_to_text", server).transcribe(silence).text == "on monday"


def rows(*vectors: list[float]) -> list[dict[str, Any]]:
    return [{"index": place, "embedding": vector} for place, vector in enumerate(vectors)]


def test_vectors_come_in_the_order_of_the_texts_and_of_unit_length(server: LocalServer) -> None:
    first, second = rows([3.0, 4.0], [0.0, 2.0])
    server.answers = [says({"data": [second, first]}), says({"data": rows([5.0, 0.0])})]
    encoder: Encoder = opened("encoder", server, dimensions=2, batch=2)
    encoded = encoder.encode(["a", "b", "c"])
    np.testing.assert_allclose(encoded.vectors, [[0.6, 0.8], [0, 1], [1, 0]], atol=1e-7)
    assert encoded.vectors.dtype == np.float32
    assert server.last["input"] == ["c"]


def test_no_text_asks_nothing(server: LocalServer) -> None:
    assert opened("encoder", server, dimensions=2).encode([]).vectors.shape == (0, 2)
    assert server.paths == []


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"data": []},
        {"data": rows([1.0])},
        {"data": rows([1.0, 0.0], [1.0, 0.0])},
        {"data": rows([0.0, 0.0])},
        {"data": rows([float("nan"), 1.0])},
        {"data": rows([float("inf"), 1.0])},
        {"data": [{"index": 3, "embedding": [1.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": "AAAA"}]},
        {"data": [{"index": 0, "embedding": [[1.0], [2.0, 3.0]]}]},
    ],
)
def test_vectors_that_cannot_be_used_are_refused(server: LocalServer, record: object) -> None:
    server.answers = [says(record)]
    with pytest.raises(ProviderError, match="vectors"):
        opened("encoder", server, dimensions=2).encode(["a"])


def test_vectors_of_another_length_name_theirs(server: LocalServer) -> None:
    server.answers = [says({"data": rows([1.0, 2.0, 2.0])})]
    with pytest.raises(ProviderError, match="expected 1 vectors of 2 numbers, its answer has 1 of 3"):
        opened("encoder", server, dimensions=2).encode(["a"])


def test_encoders_of_other_services_or_models_have_other_digests(server: LocalServer) -> None:
    digests = {opened("encoder", server, dimensions=n, model=m).digest for n in (2, 3) for m in ("small", "large")}
    assert len(digests) == 4
