"""A served model's edge: what may be posted, one line for what is refused, an id for every request.

Behind it MLflow's own `invocations` read tables and ask the model. MLflow's server is not used: it answers a request
without a Content-Type by a traceback, waits for ever for one that is half sent, and repeats in errors what was posted.
This file is run by its path and imports nothing of twinloop: a model brings its own copy of the code, so that an old
version goes on answering as it did.
"""

import argparse
import asyncio
import base64
import codecs
import json
import logging
import os
import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

import h11
import uvicorn
from mlflow.environment_variables import MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel, load_model, scoring_server
from mlflow.version import VERSION
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

LOG = logging.getLogger("twinloop.serve")
INVOCATIONS = "/invocations"
REQUEST_ID = "X-Request-ID"
# What a client may call its request: it is written to a log.
GIVEN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
# A model with this input takes files: their bytes as base64.
IMAGE = "image"
# An agent of MLflow's Responses interface takes messages, not tables.
AGENT, INPUT = "agent/v1/responses", "input"
MESSAGES = json.dumps({INPUT: [{"role": "user", "content": "..."}]})
ROLES = ("user", "assistant", "system", "developer")
LONGEST = 300
PATIENCE_S = 30.0
# Upper limits of a histogram.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Refusal(Exception):
    """A request that is not answered, with its status and the reason in one line."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = _one_line(reason)


class Posted(NamedTuple):
    """What MLflow's `invocations` are given: a JSON object or bytes, and what kind they are."""

    content: dict[str, Any] | bytes
    kind: str


class Punctual(H11Protocol):
    """Closes a connection on which a request's head does not arrive in time: uvicorn would wait for ever.

    The time is that of an idle connection (`timeout_keep_alive`).
    """

    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._closing is None:
            self._closing = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _stop(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None


class JsonLines(logging.Formatter):
    """A line of log as a JSON object: time, level, message, and of a request its id, method, path, status, seconds."""

    def format(self, record: logging.LogRecord) -> str:
        time_utc = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time_utc, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Counters:
    """Counts requests by status and how long they took, for Prometheus: a text file that its node exporter collects.

    The file (text exposition format 0.0.4) is written within a second of a request, whole or not at all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._statuses: Counter[int] = Counter()
        self._within = [0] * len(BUCKETS_S)
        self._seconds = 0.0
        self._due: asyncio.TimerHandle | None = None

    def add(self, status: int, seconds: float) -> None:
        """One request has been answered."""
        self._statuses[status] += 1
        self._seconds += seconds
        for place, limit in enumerate(BUCKETS_S):
            self._within[place] += seconds <= limit
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(1.0, self.write)

    def text(self) -> str:
        """The counters so far."""
        count = self._statuses.total()
        buckets = zip((*map(str, BUCKETS_S), "+Inf"), (*self._within, count), strict=True)
        lines = [
            "# HELP twinloop_requests_total Requests that were answered, by status.",
            "# TYPE twinloop_requests_total counter",
            *(f'twinloop_requests_total{{status="{status}"}} {n}' for status, n in sorted(self._statuses.items())),
            "# HELP twinloop_request_seconds How long a request took.",
            "# TYPE twinloop_request_seconds histogram",
            *(f'twinloop_request_seconds_bucket{{le="{limit}"}} {n}' for limit, n in buckets),
            f"twinloop_request_seconds_sum {self._seconds:.6f}",
            f"twinloop_request_seconds_count {count}",
        ]
        return "\n".join(lines) + "\n"

    def write(self) -> None:
        """Write the file. A disk that is full stops no answer."""
        self._due = None
        beside = self.path.with_name(f".{self.path.name}.new")
        try:
            beside.write_text(self.text(), encoding="utf-8")
            beside.replace(self.path)
        except OSError as error:
            LOG.warning("counters: %s cannot be written (%s)", self.path, error.strerror)


def application(model: PyFuncModel, *, patience_s: float = PATIENCE_S, counters: Counters | None = None) -> Starlette:
    """What answers for a loaded model; patience_s: in which a request's body must have arrived."""
    schema = model.metadata.get_input_schema()  # type: ignore[no-untyped-call]
    agent = (model.metadata.metadata or {}).get("task") == AGENT
    columns = (INPUT,) if agent else tuple(schema.input_names())

    async def invocations(request: Request) -> Response:
        try:
            body, kind = await _body(request, patience_s), request.headers.get("content-type")
            posted = understood(body, kind, columns, agent=agent)
            asked = asyncio.to_thread(scoring_server.invocations, posted.content, posted.kind, model, schema)
            limit = MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT.get()  # type: ignore[no-untyped-call]
            answer = await asyncio.wait_for(asked, timeout=limit)
        except Refusal as refusal:
            return _refused(request, refusal)
        except TimeoutError:
            return _refused(request, Refusal(504, f"no answer within {limit} s: post fewer rows"))
        except MlflowException as error:
            if trace := error.json_kwargs.get("stack_trace"):
                LOG.error("%s %s", request.state.id, trace)
            status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
            # MLflow speaks of a table then, whatever the model takes.
            unread = f"expected {MESSAGES}, parts as the Responses interface has them" if agent and trace else ""
            return _refused(request, Refusal(status, unread or _reason(error)))
        except Exception:
            LOG.exception("%s failed", request.state.id)
            return _refused(request, Refusal(500, "the server failed: its log tells why, under this request's id"))
        return Response(answer.response, answer.status, media_type=answer.mimetype)

    async def ping(_: Request) -> Response:
        return PlainTextResponse("\n")

    async def version(_: Request) -> Response:
        return PlainTextResponse(VERSION)

    app = Starlette(
        routes=[
            Route(INVOCATIONS, invocations, methods=["POST"]),
            Route("/ping", ping),
            Route("/health", ping),
            Route("/version", version),
        ]
    )
    app.state.counters = counters
    app.add_middleware(BaseHTTPMiddleware, dispatch=_identified)
    return app


def understood(body: bytes, content_type: str | None, columns: Sequence[str], *, agent: bool = False) -> Posted:
    """A posted body as MLflow reads it: JSON and tables as they are, files as rows of the model's one column.

    agent: whether the model takes messages; these come as JSON. Raises Refusal: 400 for a body that is not what its
    type says, 415 for a type that no model here reads.
    """
    if not content_type:
        raise Refusal(400, f"no Content-Type: {_expected(columns, agent)}")
    header = Message()
    header["Content-Type"] = content_type
    kind = header.get_content_type()
    if not _utf8(str(header.get_param("charset", "utf-8"))):
        raise Refusal(415, f"Content-Type {content_type[:80]}: expected UTF-8")
    if kind == scoring_server.CONTENT_TYPE_JSON:
        return Posted(_messages(_json(body)) if agent else _table(_json(body)), kind)
    if agent:
        raise Refusal(415, f"Content-Type {content_type[:80]}: {_expected(columns, agent)}")
    if kind in scoring_server.CONTENT_TYPES:
        return Posted(_utf8_text(body), kind)
    if kind.startswith("image/") and columns == (IMAGE,):
        if not body:
            raise Refusal(400, "an empty body: expected the bytes of an image file")
        return _rows([body], columns[0])
    if kind == "multipart/form-data" and len(columns) == 1:
        return _rows(_parts(body, header.get_boundary()), columns[0])
    raise Refusal(415, f"Content-Type {content_type[:80]}: {_expected(columns, agent)}")


def _expected(columns: Sequence[str], agent: bool) -> str:
    if agent:
        return f"post application/json like {MESSAGES}"
    table = json.dumps({"dataframe_split": {"columns": list(columns), "data": [["..."] * len(columns)]}})
    files = ", image/png" * (tuple(columns) == (IMAGE,)) + ", multipart/form-data" * (len(columns) == 1)
    return f"post application/json like {table[:150]}, text/csv{files}"


def _utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in ("utf-8", "ascii")
    except LookupError:
        return False


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise Refusal(400, f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise Refusal(400, f"not JSON: no UTF-8 at byte {error.start}") from None
    except ValueError:
        raise Refusal(400, "not JSON that can be read: a number of thousands of digits") from None
    except RecursionError:
        raise Refusal(400, "not JSON that can be read: nested far too deep") from None


def _utf8_text(body: bytes) -> bytes:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(400, f"not a table: no UTF-8 at byte {error.start}") from None
    return body


def _table(value: Any) -> dict[str, Any]:
    formats = sorted(scoring_server.SUPPORTED_FORMATS)
    if not isinstance(value, dict) or sum(name in value for name in formats) != 1:
        raise Refusal(400, f"expected a JSON object with one of {', '.join(formats)}")
    return value


def _messages(value: Any) -> dict[str, Any]:
    given = value.get(INPUT) if isinstance(value, dict) else None
    if not isinstance(given, list) or not all(map(_is_message, given)):
        raise Refusal(400, f"expected a JSON object like {MESSAGES}, roles {', '.join(ROLES)}")
    return dict(value)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and value.get("role") in ROLES and isinstance(value.get("content"), str | list)


def _parts(body: bytes, boundary: object) -> list[bytes]:
    """The contents of a multipart body's parts (RFC 2046, section 5.1.1)."""
    if not boundary:
        raise Refusal(400, "multipart/form-data without a boundary: let the client's library write the header")
    _preamble, *parts = (b"\r\n" + body).split(b"\r\n--" + str(boundary).encode())
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise Refusal(400, "multipart/form-data: expected at least one part and the closing boundary")
    split = [part.partition(b"\r\n\r\n")[::2] for part in parts[:-1]]
    # Forms send fields of text beside their files: a field is no row where there are files.
    files = [content for head, content in split if b"filename" in head.lower()]
    return files or [content for _, content in split]


def _rows(files: Sequence[bytes], column: str) -> Posted:
    if column == IMAGE:
        values = [base64.b64encode(content).decode("ascii") for content in files]
    else:
        values = [content.decode("utf-8", "replace") for content in files]
    table = {"dataframe_split": {"columns": [column], "data": [[value] for value in values]}}
    return Posted(table, scoring_server.CONTENT_TYPE_JSON)


async def _body(request: Request, patience_s: float) -> bytes:
    try:
        async with asyncio.timeout(patience_s):
            return await request.body()
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {patience_s:g} s: send it again") from None
    except ClientDisconnect:
        raise Refusal(400, "the body was cut short") from None


async def _identified(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Give the request its id, the client's own where it sent one, and write a line of log."""
    begin, given = time.perf_counter(), request.headers.get(REQUEST_ID, "")
    request.state.id = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
    response = await call_next(request)
    response.headers[REQUEST_ID] = request.state.id
    took = time.perf_counter() - begin
    method, path, status = request.method, request.url.path, response.status_code
    fields = {"request": request.state.id, "method": method, "path": path, "status": status, "seconds": round(took, 6)}
    LOG.info("%s %s %s %s %.3f s", request.state.id, method, path, status, took, extra={"fields": fields})
    if request.app.state.counters is not None and path == INVOCATIONS:
        request.app.state.counters.add(status, took)
    return response


def _refused(request: Request, refusal: Refusal) -> Response:
    LOG.warning("%s %s", request.state.id, refusal.reason)
    # What is left of a body that did not arrive must not be taken for the next request.
    headers = {"Connection": "close"} if refusal.status == 408 else None
    content = {"message": refusal.reason, "request_id": request.state.id}
    return JSONResponse(content, refusal.status, headers=headers)


def _reason(error: MlflowException) -> str:
    """MLflow puts the posted table, and its own words, in front of a reason, and names of posted columns behind it."""
    reason = str(error.message).rpartition("Error: ")[2]
    return reason.partition(" Note that there were extra inputs")[0]


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def main() -> None:
    """Serve on loopback until stopped."""
    parser = argparse.ArgumentParser(description="Answer posted requests with an MLflow model.")
    parser.add_argument("model", help="its address, as models:/NAME/VERSION or a folder")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--json-log", action="store_true", help="lines of log as JSON objects")
    parser.add_argument("--counters", type=Path, metavar="FILE", help="keep counters for Prometheus in this file")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s")
    if options.json_log:
        logging.getLogger().handlers[0].setFormatter(JsonLines())
    LOG.setLevel(logging.INFO)
    # An agent would write a trace of every request into the store; of which share it does, whoever serves it says.
    os.environ.setdefault("MLFLOW_TRACE_SAMPLING_RATIO", "0")
    counters = Counters(options.counters) if options.counters else None
    app = application(load_model(options.model), counters=counters)
    try:
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=options.port,
            http=Punctual,
            timeout_keep_alive=round(PATIENCE_S),
            access_log=False,
            log_level="warning",
        )
    finally:
        if counters is not None:
            counters.write()


if __name__ == "__main__":
    main()
