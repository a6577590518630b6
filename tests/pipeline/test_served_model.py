"""Registered models answer over HTTP as `serve` runs them: the detector posted images, the responder messages."""

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tracking.tiny import SIZE, export
from tests.twins.person.selves import small_self
from twinloop.tracking.execution import Execution, find_or_create
from twinloop.tracking.registering import serve_command
from twinloop.tracking.store import Store, open_store
from twinloop.twins.factory.serving.detector import register_detector
from twinloop.twins.person.serving.responder import register_responder


def base64_image(*, bright: bool, size: tuple[int, int] = (SIZE, SIZE), file_format: str = "PNG") -> str:
    pixels = np.full(size, 60, np.uint8)
    if bright:
        pixels[size[0] // 4 : size[0] // 2, size[1] // 2 : size[1] * 3 // 4] = 250
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format)
    return base64.b64encode(stream.getvalue()).decode()


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path, *, limit_s: float = 120) -> None:
    begin = time.monotonic()
    while time.monotonic() - begin < limit_s:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no answer in {limit_s} s: {log.read_text()}")


def stop_group(process: subprocess.Popen[bytes], *, limit_s: float = 20) -> None:
    """End the server and the workers it started; they share its process group."""
    begin, chosen = time.monotonic(), signal.SIGTERM
    while True:
        try:
            os.killpg(process.pid, chosen)
        except ProcessLookupError:
            return
        process.poll()
        time.sleep(0.2)
        if time.monotonic() - begin > limit_s:
            chosen = signal.SIGKILL


@contextmanager
def served(folder: Path, name: str, register: Callable[[Store, Execution], str]) -> Iterator[str]:
    """The address of a server of its own that answers with the model, which is registered in a store in `folder`."""
    store = open_store(None, folder)
    number = register(store, find_or_create(store, twin=name.partition("-")[0], key="k"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "serve.log"
    # Neither PYTHONPATH nor the repository as working directory: the model must bring its own code.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "MLFLOW_TRACKING_URI": store.uri,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            serve_command(name, number, port=port),
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_group(process)
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port), timeout=2):
        pass


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    exported, point = export(folder / "export")

    def register(store: Store, execution: Execution) -> str:
        card = "bright pixels are a pit"
        return register_detector(store, execution, exported=exported, operating_point=point, card=card)

    with served(folder, "factory-detector", register) as address:
        yield address


def post(url: str, images: list[Any]) -> list[dict[str, Any]]:
    body = json.dumps({"dataframe_split": {"columns": ["image"], "data": [[image] for image in images]}})
    request = urllib.request.Request(f"{url}/invocations", body.encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answers: list[dict[str, Any]] = json.load(answer)["predictions"]
    return answers


def test_a_posted_image_is_answered_with_type_confidence_box_heat_map_and_time(url: str) -> None:
    (found,) = post(url, [base64_image(bright=True)])
    assert found["error"] is None
    assert found["defect_type"] == "pit"
    assert found["decision"] == "reject"
    assert found["confidence"] > 0.99
    assert found["boxes"] == [[16, 8, 8, 8]]
    assert found["inference_ms"] > 0
    heat = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["heat_map"]))))
    assert heat.shape == (SIZE // 4, SIZE // 4)
    assert (heat > 127).sum() == 4


def test_a_batch_of_mixed_sizes_and_formats_is_answered_in_order(url: str) -> None:
    batch = [
        base64_image(bright=False),
        base64_image(bright=True, size=(64, 96), file_format="JPEG"),
        *([base64_image(bright=False)] * 20),
    ]
    answers = post(url, batch)
    assert [answer["decision"] for answer in answers] == ["accept", "reject", *["accept"] * 20]
    assert answers[1]["boxes"] == [[48, 16, 24, 16]], "boxes are in pixels of the posted image"
    assert answers[0]["defect_type"] == "good"


def test_a_broken_image_says_why_and_leaves_its_neighbours_alone(url: str) -> None:
    whole = base64.b64decode(base64_image(bright=True, size=(64, 64)))
    truncated = base64.b64encode(whole[: len(whole) // 2]).decode()
    good, broken, noise, words, bright = post(
        url,
        [
            base64_image(bright=False),
            truncated,
            base64.b64encode(b"words").decode(),
            "not base64!",
            base64_image(bright=True),
        ],
    )
    assert (good["decision"], bright["decision"]) == ("accept", "reject")
    assert broken["error"].startswith("image: cannot be read")
    assert noise["error"].startswith("image: not an image of a known format")
    assert words["error"].startswith("image: not base64")
    assert broken["decision"] is None


def test_a_request_of_another_shape_is_refused_with_the_expected_column(url: str) -> None:
    request = urllib.request.Request(
        f"{url}/invocations",
        json.dumps({"dataframe_split": {"columns": ["picture"], "data": [["x"]]}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 400
    assert b"image" in caught.value.read()


def test_a_registered_responder_brings_its_code_and_answers_with_a_citation(tmp_path: Path) -> None:
    def register(store: Store, execution: Execution) -> str:
        return register_responder(store, execution, folder=small_self(tmp_path / "self"), card="of three documents")

    body = json.dumps({"input": [{"role": "user", "content": "When does the warranty on the pump end?"}]})
    with served(tmp_path, "person-responder", register) as url:
        request = urllib.request.Request(
            f"{url}/invocations", body.encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            told = json.load(response)["custom_outputs"]
    assert "3 March 2027" in told["answer"]
    assert told["citations"] == ["contract.txt, page 1, characters 0 to 46"]
