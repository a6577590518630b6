"""A camera before the detector: frames at a fixed takt, and what became of them.

A frame that arrives while the detector works waits in a buffer of a few places, as in a frame grabber; with no place
free it is missed, and its part passes uninspected. Latency counts from the arrival of a frame to its finding, so it
holds the waiting.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twinloop.errors import InputError
from twinloop.vision.datasets.samples import Refused, printable
from twinloop.vision.inference.folder import image_files
from twinloop.vision.inference.pictures import Pixels, read_picture
from twinloop.vision.inference.predict import DeployedDetector, Prediction

WARMUP = 3


@dataclass(frozen=True)
class CameraReport:
    """What became of `frames` frames, one every `takt_s` seconds.

    missed: those that found no free place. latency_ms: milliseconds from arrival to finding. utilisation: share of the
    time from the first arrival to the last finding in which the detector worked. findings: how often each decision was
    made, or each type was said where nothing decides. unlike: frames unlike anything learnt.
    """

    frames: int
    takt_s: float
    buffer: int
    inspected: int
    missed: int
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    latency_ms_max: float
    utilisation: float
    findings: dict[str, int]
    unlike: int = 0

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def play(
    predict: Callable[[Pixels], Prediction],
    images: Sequence[Pixels],
    *,
    takt_s: float,
    frames: int,
    buffer: int = 1,
    clock: Callable[[], float] = time.perf_counter,
    wait: Callable[[float], None] = time.sleep,
) -> CameraReport:
    """Show `images` in turn, over and over, one every `takt_s` seconds, until `frames` have been shown.

    buffer: frames that may wait while another is judged. clock, wait: seconds since any origin, and how to let some
    pass. Raises InputError for a takt, a count or a buffer that cannot be, and where there is no image.
    """
    if not (np.isfinite(takt_s) and takt_s > 0 and frames >= 1 and buffer >= 0 and images):
        raise InputError(
            f"camera: expected takt_s > 0, frames ≥ 1, buffer ≥ 0 and at least one image, "
            f"got {takt_s}, {frames}, {buffer} and {len(images)} images"
        )
    start = clock()
    waiting: deque[int] = deque()
    arrived = missed = unlike = 0
    busy_s, latencies_ms, findings = 0.0, [], Counter[str]()
    while arrived < frames or waiting:
        if not waiting:
            # Idle: the next frame is taken the moment it comes.
            early = start + arrived * takt_s - clock()
            if early > 0:
                wait(early)
            waiting.append(arrived)
            arrived += 1
        frame = waiting.popleft()
        begun = clock()
        finding = predict(images[frame % len(images)])
        done = clock()
        busy_s += done - begun
        latencies_ms.append((done - (start + frame * takt_s)) * 1e3)
        unlike += bool(finding.reason)
        findings[finding.decision.value if finding.decision else finding.defect_type] += 1
        while arrived < frames and start + arrived * takt_s < done:
            if len(waiting) < buffer:
                waiting.append(arrived)
            else:
                missed += 1
            arrived += 1
    p50, p95, p99 = np.percentile(latencies_ms, [50, 95, 99]).tolist()
    return CameraReport(
        frames=frames,
        takt_s=takt_s,
        buffer=buffer,
        inspected=len(latencies_ms),
        missed=missed,
        latency_ms_p50=p50,
        latency_ms_p95=p95,
        latency_ms_p99=p99,
        latency_ms_max=max(latencies_ms),
        utilisation=busy_s / (done - start),
        findings=dict(sorted(findings.items())),
        unlike=unlike,
    )


def load_frames(source: str | Path, *, most: int = 64) -> tuple[list[Pixels], list[str]]:
    """The first `most` readable images of a folder, held in memory, and a line for each unreadable one before them.

    A camera gives pixels, not files: reading is no part of what is timed. Raises InputError where none can be read.
    """
    images: list[Pixels] = []
    refused: list[str] = []
    for file in image_files(source):
        if len(images) == most:
            break
        try:
            images.append(read_picture(file))
        except Refused as reason:
            refused.append(f"{printable(str(file))}: {reason}")
    if not images:
        raise InputError(f"camera: {printable(str(source))}: none of {len(refused)} images can be read: {refused[0]}")
    return images, refused


def warm_up(detector: DeployedDetector, image: Pixels) -> None:
    """Judge an image a few times: the first inferences of a process take longer, and a line runs for days."""
    for _ in range(WARMUP):
        detector.predict(image)
