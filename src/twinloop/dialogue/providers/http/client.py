"""One service on the other side of HTTP: asked in JSON or with a file, read up to a limit, told apart where it fails.

Nothing comes from the environment: neither the key nor a proxy. Redirects are not followed, so that the key and what a
person said go nowhere else; answers come uncompressed, so that what is counted is what is kept.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import httpx
from pydantic import Field

from twinloop.config import settings
from twinloop.content import without_controls
from twinloop.dialogue.providers.protocols import ProviderError
from twinloop.dialogue.providers.resilience import ResilienceSettings, Resilient, Transient
from twinloop.dialogue.providers.surroundings import Surroundings

MIB = 1 << 20
LONGEST_CONNECT_S = 5.0
LONGEST_QUOTE = 80
# Too early, too many requests, and failures of the other side (RFC 9110); 408: it waited for us.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
ADVICE = {
    401: "it refuses the key: check it",
    403: "it refuses the key: check it",
    404: "it knows no such address or model: check both",
}


@settings
class ServiceSettings:
    """A service. address: of its interface, such as https://host/v1. model: as the service calls it.

    most_bytes: of an answer; a longer one is refused. proxy: an address, or empty.
    """

    address: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]
    model: Annotated[str, Field(min_length=1, max_length=200)]
    most_bytes: Annotated[int, Field(ge=1_000, le=1 << 32)] = 32 * MIB
    proxy: str = ""
    resilience: ResilienceSettings = ResilienceSettings()


class File(NamedTuple):
    """A file that is sent."""

    name: str
    content: bytes
    media_type: str


class Service:
    """Asks one service; several threads may.

    name: of the service, for messages. clock, sleep: see `Resilient`.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        surroundings: Surroundings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self._key = surroundings.key
        self._resilient = Resilient(name, settings.resilience, clock=clock, sleep=sleep)
        headers = {"Accept-Encoding": "identity"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        self._client = httpx.Client(
            headers=headers, proxy=settings.proxy or None, trust_env=False, follow_redirects=False
        )

    def record(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that answers a JSON object. Raises ProviderError where none does."""
        return self._object(self.content(path, body))

    def content(self, path: str, body: Mapping[str, Any]) -> bytes:
        """The bytes that answer a JSON object."""
        return self._resilient.call(lambda ends_at: self._answer(path, ends_at, json=dict(body)))

    def record_of_file(self, path: str, fields: Mapping[str, str], file: File) -> dict[str, Any]:
        """The JSON object that answers a form with a file."""
        return self._object(
            self._resilient.call(lambda ends_at: self._answer(path, ends_at, data=dict(fields), files={"file": file}))
        )

    def text(self, value: Any, expected: str) -> str:
        """A text of an answer, with a blank for what no file or terminal can take. Raises ProviderError for no text."""
        if not isinstance(value, str):
            raise self.nonsense(expected)
        return without_controls(value)

    def nonsense(self, expected: str, got: str = "none") -> ProviderError:
        """The error for an answer that is not what was asked for. got: what it has instead."""
        return ProviderError(
            f"{self._resilient.name}: expected {expected}, its answer has {got}: check address and model"
        )

    def _answer(self, path: str, ends_at: float, **request: Any) -> bytes:
        left_s = max(ends_at - self._resilient.clock(), 0.001)
        timeout = httpx.Timeout(left_s, connect=min(left_s, LONGEST_CONNECT_S))
        address = f"{self.settings.address.rstrip('/')}/{path}"
        with self._failures(), self._client.stream("POST", address, timeout=timeout, **request) as response:
            content = b"".join(self._chunks(response, ends_at))
            if not response.is_success:
                raise self._refusal(response, content)
        return content

    def _chunks(self, response: httpx.Response, ends_at: float) -> Iterator[bytes]:
        most, length = self.settings.most_bytes, 0
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise ProviderError(
                f"{self._resilient.name}: it compresses its answer although asked not to: check address"
            )
        for chunk in response.iter_raw():
            length += len(chunk)
            if length > most:
                raise ProviderError(
                    f"{self._resilient.name}: its answer is longer than {most / MIB:.3g} MiB: it is dropped; raise "
                    "most_bytes if such answers are right"
                )
            if self._resilient.clock() > ends_at:
                raise self._late()
            yield chunk

    def _refusal(self, response: httpx.Response, content: bytes) -> ProviderError:
        status = response.status_code
        reason = f"status {status}{self._quoted(content)}"
        if status in PASSING:
            return Transient(reason, wait_s=_seconds(response.headers.get("Retry-After")))
        advice = ADVICE.get(status, "check address, model and settings")
        return ProviderError(f"{self._resilient.name}: {reason}: {advice}")

    def _quoted(self, content: bytes) -> str:
        """What the service says of its error, without the key, which some repeat."""
        try:
            said = str(json.loads(content)["error"]["message"])
        except (ValueError, RecursionError, KeyError, TypeError):
            return ""
        if self._key is not None:
            said = said.replace(self._key.get_secret_value(), "***")
        return f" ({said if len(said) <= LONGEST_QUOTE else said[: LONGEST_QUOTE - 1] + '…'})"

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            record = json.loads(content)
        except (ValueError, RecursionError):
            raise self.nonsense("JSON") from None
        if not isinstance(record, dict):
            raise self.nonsense("a JSON object")
        return record

    def _late(self) -> Transient:
        return Transient(f"no answer within {self.settings.resilience.timeout_s:g} s")

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        host = httpx.URL(self.settings.address).host
        try:
            yield
        except httpx.ConnectError:
            raise Transient(f"cannot be reached at {host}: is it running, and is the address right?") from None
        except httpx.TimeoutException:
            raise self._late() from None
        except (httpx.RemoteProtocolError, httpx.ReadError):
            raise Transient("it stopped in the middle of its answer") from None
        except httpx.TransportError as error:
            raise Transient(f"the exchange with {host} failed ({type(error).__name__})") from None


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; None for a date, which would need a clock that both sides share."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
