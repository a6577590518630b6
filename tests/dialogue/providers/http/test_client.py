"""A service that is slow, wrong, absent or endless costs one line, and what it was given stays with it."""

import gzip
import json
import logging
import socket

import pytest
from pydantic import SecretStr

from tests.dialogue.server import LocalServer, drips, endless, hangs_up, says, stops_halfway, waits
from twinloop.dialogue.providers.http.client import File, Service, ServiceSettings
from twinloop.dialogue.providers.protocols import ProviderError
from twinloop.dialogue.providers.resilience import ResilienceSettings
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import LONGEST, InputError

KEY = "sk-very-secret-1234"


def service(address: str, *, key: str | None = KEY, most_bytes: int = 1 << 20, **resilience: float) -> Service:
    values = {"attempts": 1, "timeout_s": 20.0} | resilience
    settings = ServiceSettings(
        address=address,
        model="small",
        most_bytes=most_bytes,
        resilience=ResilienceSettings(**values),  # type: ignore[arg-type]
    )
    surroundings = Surroundings(key=SecretStr(key) if key else None)
    return Service("language model", settings, surroundings, sleep=lambda seconds: None)


def refusal(asked: Service) -> str:
    with pytest.raises(ProviderError) as refused:
        asked.record("chat", {"a": 1})
    line = str(refused.value)
    assert line.startswith("language model: ")
    assert len(line) <= LONGEST
    assert KEY not in line
    return line


def test_a_service_is_asked_with_its_key_and_answers(server: LocalServer) -> None:
    server.answers = [says({"b": 2})]
    assert service(server.address).record("chat", {"a": 1}) == {"b": 2}
    assert server.paths == ["/v1/chat"]
    assert server.last == {"a": 1}
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_none_is_sent(server: LocalServer) -> None:
    server.answers = [says({})]
    service(server.address, key=None).record("chat", {})
    assert "Authorization" not in server.headers[0]


def test_a_file_travels_whole(server: LocalServer) -> None:
    server.answers = [says({"text": "hello"})]
    sent = File("a.wav", bytes(range(256)), "audio/wav")
    assert service(server.address).record_of_file("audio", {"model": "small"}, sent) == {"text": "hello"}
    assert sent.content in server.bodies[0]
    assert b'name="model"' in server.bodies[0]


def test_a_service_that_is_absent_is_said_to_be() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else takes the port meanwhile
        taken.bind(("127.0.0.1", 0))
        line = refusal(service(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert "cannot be reached at 127.0.0.1: is it running" in line


def test_a_service_that_does_not_answer_in_time_is_left(server: LocalServer) -> None:
    server.answers = [waits(server)]
    assert "no answer within 0.2 s" in refusal(service(server.address, timeout_s=0.2))


def test_a_service_that_drips_is_left_in_time(server: LocalServer) -> None:
    server.answers = [drips(server)]
    assert "no answer within 0.5 s" in refusal(service(server.address, timeout_s=0.5))


@pytest.mark.parametrize("answer", [stops_halfway({"choices": "x" * 1000}), hangs_up])
def test_a_service_that_stops_in_the_middle_is_asked_again(server: LocalServer, answer: object) -> None:
    server.answers = [answer, says({"b": 2})]  # type: ignore[list-item]
    assert service(server.address, attempts=2).record("chat", {}) == {"b": 2}
    server.answers = [answer]  # type: ignore[list-item]
    assert "stopped in the middle of its answer (tried 2 times)" in refusal(service(server.address, attempts=2))


def test_an_answer_of_100_mebibytes_is_dropped_at_the_limit(server: LocalServer) -> None:
    server.answers = [endless(mebibytes=100)]
    assert "longer than 1 MiB: it is dropped" in refusal(service(server.address))


def test_a_compressed_answer_is_refused_before_it_swells(server: LocalServer) -> None:
    server.answers = [says(gzip.compress(b" " * (4 << 20)), Content_Encoding="gzip")]
    assert "compresses its answer" in refusal(service(server.address))


@pytest.mark.parametrize("nonsense", [b"", b"<html>", b"[1, 2]", b"null", b"\xff\xfe", b"[" * 200_000, b'{"a": '])
def test_an_answer_that_is_no_object_is_refused(server: LocalServer, nonsense: bytes) -> None:
    server.answers = [says(nonsense)]
    assert "check address and model" in refusal(service(server.address))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_failure_that_may_pass_is_tried_again(server: LocalServer, status: int) -> None:
    server.answers = [says({}, status=status), says({"b": 2})]
    assert service(server.address, attempts=2).record("chat", {}) == {"b": 2}


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "check address, model"), (401, "refuses the key"), (403, "refuses the key"), (404, "no such address")],
)
def test_a_failure_that_stays_is_told_at_once(server: LocalServer, status: int, advice: str) -> None:
    server.answers = [says({"error": {"message": f"no: {KEY} \n {'long ' * 100}"}}, status=status)]
    line = refusal(service(server.address, attempts=5))
    assert f"status {status} (no: ***" in line
    assert advice in line
    assert len(server.paths) == 1


def test_an_address_that_sends_elsewhere_is_not_followed(server: LocalServer) -> None:
    server.answers = [says({}, status=307, Location="http://127.0.0.1:9/elsewhere")]
    assert "status 307" in refusal(service(server.address))
    assert len(server.paths) == 1


def test_a_service_waits_as_long_as_it_is_asked_to(server: LocalServer) -> None:
    pauses = list[float]()
    settings = ServiceSettings(address=server.address, model="small", resilience=ResilienceSettings(attempts=2))
    server.answers = [says({}, status=429, Retry_After="3"), says({})]
    Service("chat", settings, Surroundings(), sleep=pauses.append).record("chat", {})
    assert pauses == [3.0]


def test_nothing_is_read_from_the_environment(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    server.answers = [says({"b": 2})]
    assert service(server.address, key=None).record("chat", {}) == {"b": 2}
    assert "Authorization" not in server.headers[0]


def test_the_key_is_shown_nowhere(server: LocalServer, caplog: pytest.LogCaptureFixture) -> None:
    server.answers = [says({"error": {"message": KEY}}, status=400)]
    asked = service(server.address)
    with caplog.at_level(logging.DEBUG):
        refusal(asked)
    assert KEY not in caplog.text
    assert KEY not in repr(vars(asked))
    assert KEY not in repr(Surroundings(key=SecretStr(KEY)))


@pytest.mark.parametrize("key", ["", "with blank", "line\nbreak", "schlüssel"])
def test_a_key_that_no_header_carries_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InputError, match="expected a key of printable ASCII") as refused:
        Surroundings(key=SecretStr(key))
    assert not key or key not in str(refused.value)


@pytest.mark.parametrize("address", ["", "host/v1", "ftp://host/v1", "http://", "http://host/v1?key=1", "http://a b/"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="address"):
        ServiceSettings(address=address, model="small")


def test_a_refused_request_reaches_the_service_as_it_was_made(server: LocalServer) -> None:
    server.answers = [says({})]
    service(server.address).record("chat", {"text": "ä\u2028"})
    assert json.loads(server.bodies[0]) == {"text": "ä\u2028"}
