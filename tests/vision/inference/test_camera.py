from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.synthetic_graph import spotted
from twinloop.errors import InputError
from twinloop.vision.inference.camera import CameraReport, load_frames, play, warm_up
from twinloop.vision.inference.predict import DeployedDetector, Pixels, Prediction


class Clock:
    """Time that passes only when something takes it; wake-ups come `late_s` too late."""

    def __init__(self, *, late_s: float = 0.0) -> None:
        self.now_s, self.late_s = 100.0, late_s

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds + self.late_s


def played(
    detector: DeployedDetector, durations_s: list[float], *, takt_s: float, frames: int, buffer: int = 1
) -> tuple[CameraReport, list[int]]:
    """A run in which inference k takes durations_s[k], over and over; and which image each inference saw."""
    clock, seen = Clock(), []

    def predict(image: Pixels) -> Prediction:
        clock.now_s += durations_s[len(seen) % len(durations_s)]
        seen.append(int(image[0, 0]))
        return detector.predict(image)

    images = [np.full((32, 32), value, np.uint8) for value in range(frames)]
    report = play(predict, images, takt_s=takt_s, frames=frames, buffer=buffer, clock=clock, wait=clock.wait)
    return report, seen


def test_a_detector_quicker_than_the_takt_misses_nothing(detector: DeployedDetector) -> None:
    report, seen = played(detector, [0.25], takt_s=1.0, frames=10)
    assert (report.inspected, report.missed, seen) == (10, 0, list(range(10)))
    assert report.latency_ms_p50 == report.latency_ms_max == pytest.approx(250)
    assert report.utilisation == pytest.approx(2.5 / 9.25)
    assert report.findings == {"good": 10}


def test_a_detector_half_as_quick_as_the_takt_misses_every_other_frame(detector: DeployedDetector) -> None:
    report, seen = played(detector, [2.0], takt_s=1.0, frames=10, buffer=0)
    assert seen == [0, 2, 4, 6, 8]
    assert (report.inspected, report.missed) == (5, 5)
    assert report.utilisation == pytest.approx(1)


def test_a_frame_waits_in_the_buffer_and_its_latency_holds_the_waiting(detector: DeployedDetector) -> None:
    # The first takes 2.5 s: frames 1 and 2 come meanwhile; 1 waits 1.5 s, 2 finds the place taken.
    report, seen = played(detector, [2.5, 0.1, 0.1], takt_s=1.0, frames=4)
    assert seen == [0, 1, 3]
    assert report.missed == 1
    assert report.latency_ms_max == pytest.approx(2500)
    assert report.latency_ms_p50 == pytest.approx(1600)


def test_a_hiccup_shorter_than_the_buffer_loses_nothing(detector: DeployedDetector) -> None:
    report, seen = played(detector, [3.5, 0.1, 0.1, 0.1, 0.1], takt_s=1.0, frames=5, buffer=3)
    assert (report.missed, seen) == (0, [0, 1, 2, 3, 4])


def test_images_are_shown_in_turn_over_and_over(detector: DeployedDetector) -> None:
    clock, images = Clock(late_s=0.01), [np.zeros((32, 32), np.uint8), spotted()]
    report = play(detector.predict, images, takt_s=0.5, frames=7, clock=clock, wait=clock.wait)
    assert report.findings == {"good": 4, "spot": 3}
    assert report.missed == 0
    assert report.latency_ms_max == pytest.approx(10), "a late wake-up counts as latency"
    assert report.record()["frames"] == 7


def test_on_the_real_clock_every_frame_is_inspected_or_missed(detector: DeployedDetector) -> None:
    warm_up(detector, spotted())
    report = play(detector.predict, [spotted()], takt_s=0.002, frames=25)
    assert report.inspected + report.missed == 25
    assert 0 < report.latency_ms_p50 <= report.latency_ms_p95 <= report.latency_ms_p99 <= report.latency_ms_max
    assert 0 < report.utilisation <= 1


@pytest.mark.parametrize(
    ("takt_s", "frames", "buffer", "count"),
    [(0.0, 1, 1, 1), (-1.0, 1, 1, 1), (float("nan"), 1, 1, 1), (1.0, 0, 1, 1), (1.0, 1, -1, 1), (1.0, 1, 1, 0)],
)
def test_a_camera_that_cannot_be_is_refused(
    detector: DeployedDetector, takt_s: float, frames: int, buffer: int, count: int
) -> None:
    with pytest.raises(InputError, match="camera: expected takt_s > 0, frames ≥ 1, buffer ≥ 0 and at least one image"):
        play(detector.predict, [spotted()] * count, takt_s=takt_s, frames=frames, buffer=buffer)


def test_unreadable_images_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    for name in ("b.png", "c.png", "d.png"):
        Image.fromarray(spotted()).save(tmp_path / name)
    images, refused = load_frames(tmp_path, most=2)
    assert len(images) == 2
    assert refused == [f"{tmp_path}/a.png: file is empty"]
    with pytest.raises(InputError, match="none of 1 images can be read: .*file is empty"):
        load_frames(tmp_path / "a.png")
