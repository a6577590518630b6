"""A really served model: what may be posted, what is refused in one line, what is closed, and what the log says."""

import base64
import http.client
import io
import json
import logging
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests.tracking.tiny import SIZE, export
from tests.twins.served import serving
from twinloop.twins.factory.serving.detector import save_detector

PATIENCE_S = 2
BOUNDARY = "a-boundary"
JSON = {"Content-Type": "application/json"}


class Answered(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def record(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.body)
        return answer


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory, saved: Path) -> Any:
    """Counters of the server; MLflow is imported only after `saved` has told it to be quiet."""
    from twinloop.tracking.server import Counters

    return Counters(tmp_path_factory.mktemp("counted") / "served.prom")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    exported, point = export(folder / "one")
    save_detector(folder / "model", exported=exported, operating_point=point)
    return folder / "model"


@pytest.fixture(scope="module")
def port(saved: Path, counted: Any) -> Iterator[int]:
    with serving(saved, patience_s=PATIENCE_S, counters=counted) as url:
        yield int(url.rpartition(":")[2])


def ask(port: int, body: bytes, headers: Mapping[str, str]) -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/invocations", body=body, headers=dict(headers))
    answer = connection.getresponse()
    answered = Answered(answer.status, dict(answer.getheaders()), answer.read())
    connection.close()
    return answered


def picture(file_format: str = "PNG") -> bytes:
    pixels = np.full((SIZE, SIZE), 60, np.uint8)
    pixels[8:16, 16:24] = 250
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format)
    return stream.getvalue()


def table(*values: object, column: str = "image") -> bytes:
    return json.dumps({"dataframe_split": {"columns": [column], "data": [[value] for value in values]}}).encode()


def multipart(*contents: bytes) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode() + content
        for content in contents
    ]
    return b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


ENCODED = base64.b64encode(picture()).decode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (table(ENCODED), "application/json"),
        (table(ENCODED), "Application/JSON; Charset=UTF-8"),
        (table(ENCODED), 'application/json; charset="utf8"; profile=x'),
        (f"image\n{ENCODED}\n".encode(), "TEXT/CSV"),
        (picture(), "image/png"),
        (picture("JPEG"), "IMAGE/JPEG"),
        (multipart(picture()), f"Multipart/Form-Data; boundary={BOUNDARY}"),
    ],
)
def test_a_picture_is_answered_however_it_is_posted(port: int, body: bytes, content_type: str) -> None:
    answered = ask(port, body, {"Content-Type": content_type})
    assert answered.status == 200, answered.body
    (found,) = answered.record["predictions"]
    assert (found["decision"], found["error"]) == ("reject", None)


def test_every_file_of_a_form_is_a_row(port: int) -> None:
    awkward = b"\r\n--other\r\n\r\n\x00\xff"
    answered = ask(
        port,
        multipart(picture(), awkward, picture("JPEG")),
        {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'},
    )
    one, broken, two = answered.record["predictions"]
    assert (one["decision"], two["decision"]) == ("reject", "reject")
    assert broken["error"].startswith("image: not an image of a known format")


def test_a_field_of_text_beside_a_file_is_no_row_and_an_empty_file_is_called_empty(port: int) -> None:
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nshift 2\r\n'.encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answered = ask(port, field + multipart(picture(), b""), headers)
    one, empty = answered.record["predictions"]
    assert one["decision"] == "reject"
    assert empty["error"] == "image: empty: expected the bytes of an image file"


LONG = "x" * 200_000
REFUSED = {
    "no Content-Type: post application/json like": (table(ENCODED), {}, 400),
    "Content-Type text/html: post application/json like": (b"<p>", {"Content-Type": "text/html"}, 415),
    "Content-Type application/json; charset=latin-1: expected UTF-8": (
        table(ENCODED),
        {"Content-Type": "application/json; charset=latin-1"},
        415,
    ),
    "not JSON: Expecting value in line 1, column 1": (LONG.encode(), JSON, 400),
    "not JSON: no UTF-8 at byte 1": (b'"\xff' + LONG.encode(), JSON, 400),
    "not JSON that can be read: nested far too deep": (b"[" * 200_000, JSON, 400),
    "expected a JSON object with one of dataframe_records": (json.dumps([LONG]).encode(), JSON, 400),
    "Model is missing inputs ['image']": (table(LONG, column="picture"), JSON, 400),
    "not JSON that can be read: a number": (b"[" + b"9" * 5000 + b"]", JSON, 400),
    "Model is missing inputs ['image'].": (LONG.encode() + b"\n1\n", {"Content-Type": "text/csv"}, 400),
    "not a table: no UTF-8 at byte 6": (b"image\n\xff" + LONG.encode(), {"Content-Type": "text/csv"}, 400),
    "an empty body: expected the bytes of an image file": (b"", {"Content-Type": "image/png"}, 400),
    "multipart/form-data without a boundary": (
        multipart(picture()),
        {"Content-Type": "multipart/form-data"},
        400,
    ),
    "multipart/form-data: expected at least one part and the closing boundary": (
        multipart(picture())[:-20],
        {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        400,
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refusal_is_one_line_that_never_repeats_what_was_posted(port: int, reason: str) -> None:
    body, headers, status = REFUSED[reason]
    answered = ask(port, body, headers)
    assert answered.status == status
    said = answered.record["message"]
    assert said.startswith(reason)
    assert "\n" not in said
    assert len(answered.body) < 500
    assert "Traceback" not in said
    assert "xxxxx" not in said


@pytest.mark.parametrize("value", [{"a": 1}, 5, [LONG], None])
def test_a_cell_that_is_no_text_is_refused_or_answered_without_repeating_it(port: int, value: object) -> None:
    answered = ask(port, table(value, LONG), JSON)
    assert answered.status in (200, 400)
    assert len(answered.body) < 2000


def test_a_request_keeps_the_id_it_came_with_and_the_log_has_it(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="twinloop.serve"):
        named = ask(port, table(ENCODED), {**JSON, "X-Request-ID": "station-4:17"})
        refused = ask(port, b"", {**JSON, "X-Request-ID": "bad id\twith blanks"})
    assert named.headers["x-request-id"] == "station-4:17"
    identity = refused.headers["x-request-id"]
    assert refused.record["request_id"] == identity
    assert "blanks" not in identity
    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("station-4:17 POST /invocations 200 ") for line in lines)
    assert any(line.startswith(f"{identity} not JSON") for line in lines)
    assert any(line.startswith(f"{identity} POST /invocations 400 ") for line in lines)


def test_lines_of_log_are_json_on_request(port: int, caplog: pytest.LogCaptureFixture) -> None:
    from twinloop.tracking.server import JsonLines

    with caplog.at_level(logging.INFO, logger="twinloop.serve"):
        ask(port, table(ENCODED), {**JSON, "X-Request-ID": "station-4"})
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    (line,) = [line for line in lines if line.get("request") == "station-4"]
    assert (line["level"], line["method"], line["path"], line["status"]) == ("info", "POST", "/invocations", 200)
    assert line["seconds"] > 0
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_requests_are_counted_for_prometheus(port: int, counted: Any) -> None:
    before = counters_of(counted.text())
    for body in (table(ENCODED), table(ENCODED), b"no JSON"):
        ask(port, body, JSON)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/ping")
    connection.getresponse().read()
    connection.close()
    deadline = time.monotonic() + 30
    while not counted.path.exists() or counted.path.read_text() != counted.text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    after = counters_of(counted.path.read_text())

    def more(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    assert more('twinloop_requests_total{status="200"}') == 2
    assert more('twinloop_requests_total{status="400"}') == 1
    assert more("twinloop_request_seconds_count") == 3, "only what is asked of the model counts"
    assert more('twinloop_request_seconds_bucket{le="+Inf"}') == 3
    assert more("twinloop_request_seconds_sum") > 0
    named = {line.split()[2] for line in counted.text().splitlines() if line.startswith("# TYPE")}
    assert named == {"twinloop_requests_total", "twinloop_request_seconds"}


def counters_of(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_two_requests_have_two_ids(port: int) -> None:
    one, two = (ask(port, table(ENCODED), JSON).headers["x-request-id"] for _ in range(2))
    assert one != two


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /invoc",
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-",
        b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\nPOST /invocations HTTP/1.1\r\nHost: a\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{",
    ],
    ids=["nothing", "half a line", "half a head", "half a second head", "half a body"],
)
def test_a_half_sent_request_is_closed(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(sent)
        received = b""
        while piece := client.recv(4096):
            received += piece
    if sent.endswith(b"{"):
        assert b" 408 " in received.partition(b"\r\n")[0]
        assert b"did not arrive within 2 s" in received


def test_slow_requests_that_arrive_in_time_are_answered(port: int) -> None:
    head = b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(head[:9])
        time.sleep(0.2)
        client.sendall(head[9:])
        assert client.recv(4096).startswith(b"HTTP/1.1 200")


def test_health_and_version_are_told(port: int) -> None:
    import mlflow

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path, said in (("/ping", b"\n"), ("/health", b"\n"), ("/version", mlflow.__version__.encode())):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, said)
    connection.close()
