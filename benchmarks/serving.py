"""The registered detector as `serve` runs it on loopback: latency, errors and memory under load.

`python benchmarks/serving.py --json` prints one JSON object. A default-size detector is registered in a store of its
own in a temporary folder and served by one worker; clients ask for single images, one request after the other. Memory
is the resident size of the server's process tree, after warm-up and at the end.
"""

import argparse
import base64
import contextlib
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from twinloop.contracts import OperatingPoint
from twinloop.contracts.calibration import Calibration
from twinloop.learning.spec import Spec
from twinloop.tracking.execution import find_or_create
from twinloop.tracking.registering import serve_command
from twinloop.tracking.store import Store, open_store
from twinloop.twins.factory.serving.detector import register_detector
from twinloop.vision.inference.pictures import Pixels

ROOT = Path(__file__).resolve().parents[1]
NAME = "factory-detector"
CLIENTS = 4
REQUESTS = 20_000
WARMUP = 2_000
START_WITHIN_S = 180.0


def main() -> None:
    """Serve, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"counted ones, after {WARMUP} for warming up")
    parser.add_argument("--warmup", type=int, default=WARMUP)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as temporary:
        figures = measured(Path(temporary), requests=options.requests, warmup=options.warmup)
    print(json.dumps(figures, indent=None if options.json else 2))


def measured(folder: Path, *, requests: int = REQUESTS, warmup: int = WARMUP) -> dict[str, Any]:
    """requests, errors, p50_ms, p99_ms, requests_per_s, rss_mib after warm-up, rss_growth_mib from then to the end."""
    from benchmarks.inference import exported

    detector, test = exported(folder)
    bodies = [_body(image) for image in test.images]
    with served(folder, detector) as (port, server):
        load(port, bodies, requests=warmup)
        before = resident_mib(server)
        start = time.perf_counter()
        latencies_ms, errors = load(port, bodies, requests=requests)
        seconds = time.perf_counter() - start
        after = resident_mib(server)
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    return {
        "requests": requests,
        "errors": len(errors),
        "first_error": errors[0] if errors else None,
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "requests_per_s": round(requests / seconds, 1),
        "rss_mib": round(before, 1),
        "rss_growth_mib": round(after - before, 1),
    }


def load(
    port: int,
    bodies: Sequence[bytes],
    *,
    requests: int,
    clients: int = CLIENTS,
    fault: Callable[[int, bytes], str] | None = None,
) -> tuple[list[float], list[str]]:
    """Milliseconds of every request and what was wrong with some; `clients` ask at once, each over one connection.

    fault: what is wrong with an answer of this status and content; by default as a detector answers.
    """
    judged = fault or _fault
    latencies_ms: list[float] = []
    errors: list[str] = []
    left = iter(range(requests))
    taking = threading.Lock()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with taking:
                place = next(left, None)
            if place is None:
                break
            start = time.perf_counter()
            try:
                connection.request(
                    "POST", "/invocations", bodies[place % len(bodies)], {"Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                content = answer.read()
                wrong = judged(answer.status, content)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                wrong = repr(error)
            latencies_ms.append((time.perf_counter() - start) * 1e3)
            if wrong:
                errors.append(wrong)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies_ms, errors


@contextlib.contextmanager
def served(folder: Path, detector: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The detector registered and served on a free port of loopback; its whole process group ends with the block."""
    point = folder / "operating_point.json"
    spec = Spec.load(detector)
    OperatingPoint(
        classes=tuple(spec.about["classes"]),
        model=spec.digest,
        accept_below=0.3,
        reject_from=0.7,
        calibration=Calibration(method="platt", share=0.5).record(),
        heat_threshold=0.5,
    ).save(point)
    store = open_store(None, folder)
    execution = find_or_create(store, twin="factory", key="benchmark")
    version = register_detector(store, execution, exported=detector, operating_point=point, card="benchmark")
    with serving(folder, store, NAME, version) as running:
        yield running


@contextlib.contextmanager
def serving(folder: Path, store: Store, name: str, version: str, *options: str) -> Iterator[tuple[int, psutil.Process]]:
    """A registered model on a free port of loopback; its whole process group ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    outer = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{outer['PATH']}"
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*serve_command(name, version, port=port), *options],
            env=outer | {"MLFLOW_TRACKING_URI": store.uri, "PATH": path},
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(port, process, log)
        yield port, psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def resident_mib(server: psutil.Process) -> float:
    """Resident memory of a process and all below it."""
    return float(sum(member.memory_info().rss for member in (server, *server.children(recursive=True)))) / 2**20


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the server answers. Ends this program, with the log, where it does not in time."""
    begun = time.monotonic()
    while time.monotonic() - begun < START_WITHIN_S and process.poll() is None:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                connection.close()
                return
        time.sleep(0.2)
    raise SystemExit(f"serving: no answer in {START_WITHIN_S:g} s:\n{log.read_text(encoding='utf-8')}")


def _body(image: Pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image[..., 0]).save(stream, "PNG")
    text = base64.b64encode(stream.getvalue()).decode("ascii")
    return json.dumps({"dataframe_split": {"columns": ["image"], "data": [[text]]}}).encode()


def _fault(status: int, content: bytes) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if status != 200:
        return f"HTTP {status}: {content[:200]!r}"
    (answer,) = json.loads(content)["predictions"]
    return str(answer["error"] or "") or ("" if answer["decision"] else f"no decision: {content[:200]!r}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
