from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, ks_2samp

from tests.vision.monitoring.lines import parts, reference_of
from tests.vision.synthetic_graph import write_detector, write_point
from twinloop.errors import InputError
from twinloop.learning.drift_settings import DriftSettings
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.monitoring.monitor import PictureMonitor
from twinloop.vision.monitoring.reference import MEASURED, STOPPED, STRANGE, DriftReference
from twinloop.vision.monitoring.statistics import Observations

OFTEN = DriftSettings(window=60, false_alarms_per_1000_windows=100.0)


def test_unchanged_parts_raise_no_more_alarms_than_promised_and_not_far_fewer() -> None:
    # The promise holds over references, so each is used for a few windows only.
    alarmed = windows = 0
    for seed in range(0, 3000, 10):
        monitor = PictureMonitor(reference_of(seed, good=80, settings=OFTEN))
        monitor.watch_observed(parts(60, seed=seed + 5)[0])
        windows += len(monitor.windows)
        alarmed += sum(bool(window.alarms) for window in monitor.windows)
    assert windows == 300
    assert alarmed <= binom.ppf(0.999, windows, OFTEN.level)
    assert alarmed >= binom.ppf(0.001, windows, OFTEN.level / 3)  # Bonferroni and discrete tests cost some


def test_the_default_level_stays_silent_over_many_windows_of_one_large_reference() -> None:
    monitor = PictureMonitor(reference_of(1, good=1500))
    for seed in range(10_000, 10_200):
        monitor.watch_observed(parts(100, seed=seed)[0])
    alarmed = sum(bool(window.alarms) for window in monitor.windows)
    assert alarmed <= binom.ppf(0.999, 200, monitor.settings.level)


@pytest.mark.parametrize(
    ("statistic", "change"),
    [
        ("score", lambda seen: replace(seen, score=seen.score + 2)),
        ("embedding distance", lambda seen: replace(seen, embedding=seen.embedding + 3)),
        (
            "brightness",
            lambda seen: replace(seen, picture=seen.picture - np.eye(4)[0] / 10),
        ),
        (
            "noise",
            lambda seen: replace(seen, picture=seen.picture + np.eye(4)[3] / 10),
        ),
    ],
)
def test_what_moved_is_named_and_nothing_else(statistic: str, change: object) -> None:
    found = 0
    for seed in range(0, 200, 10):
        monitor = PictureMonitor(reference_of(seed))
        alarms = monitor.watch_observed(change(parts(100, seed=seed + 5)[0]))  # type: ignore[operator]
        found += statistic in {alarm.statistic for alarm in alarms}
        assert {alarm.statistic for alarm in alarms} <= {statistic}
    assert found >= 19


def test_more_defects_than_the_line_had_are_found() -> None:
    found = []
    for seed in range(0, 200, 10):
        monitor = PictureMonitor(reference_of(seed))
        alarms = monitor.watch_observed(parts(100, seed=seed + 5, defects=0.3)[0])
        found.append({alarm.statistic for alarm in alarms})
    assert sum(STOPPED in names for names in found) >= 15


@pytest.mark.parametrize("count", [5, 100])
def test_five_pictures_unlike_anything_learnt_are_seen_alone_and_among_others(count: int) -> None:
    found = 0
    for seed in range(0, 200, 10):
        monitor = PictureMonitor(reference_of(seed), DriftSettings(window=count))
        usual = parts(count, seed=seed + 5)[0]
        unlike = np.where(np.arange(count) % (count // 5) == 0, 8.0, usual.unlike)
        alarms = monitor.watch_observed(replace(usual, unlike=unlike))
        found += STRANGE in {alarm.statistic for alarm in alarms}
        assert not monitor.watch_observed(usual)
    assert found == 20


def test_an_alarm_says_which_window_what_how_large_and_how_sure() -> None:
    reference = reference_of(0)
    monitor = PictureMonitor(reference, DriftSettings(window=50))
    assert monitor.watch_observed(parts(30, seed=5)[0]) == ()
    dark = parts(120, seed=6)[0]
    alarms = monitor.watch_observed(replace(dark, picture=dark.picture - np.eye(4)[0] / 5))
    alarm = next(found for found in alarms if found.window == 1)
    assert (alarm.first, alarm.last, alarm.statistic) == (50, 99, "brightness")
    test = ks_2samp(np.round(dark.picture[20:70, 0] - 0.2, 12), reference.values["brightness"])
    assert (alarm.size, alarm.p_value) == pytest.approx((test.statistic, test.pvalue))
    assert alarm.level == monitor.level == 0.001 / (len(MEASURED) + 2)
    assert alarm.observed < alarm.expected
    assert str(alarm).startswith("images 51 … 100: brightness 0.286, reference 0.5057 (difference 0.96, p = ")
    assert [window.number for window in monitor.windows] == [0, 1, 2]


def test_what_is_left_is_compared_as_a_smaller_window() -> None:
    monitor = PictureMonitor(reference_of(0))
    monitor.watch_observed(parts(130, seed=5)[0])
    assert [window.count for window in monitor.windows] == [100]
    monitor.finish()
    assert [window.count for window in monitor.windows] == [100, 30]
    assert monitor.finish() == ()
    assert len(monitor.windows) == 2


def test_images_given_one_by_one_or_all_at_once_give_the_same_windows() -> None:
    reference, seen = reference_of(0), parts(150, seed=5)[0]
    at_once, one_by_one = PictureMonitor(reference, OFTEN), PictureMonitor(reference, OFTEN)
    at_once.watch_observed(seen)
    for place in range(150):
        one_by_one.watch_observed(seen.rows(slice(place, place + 1)))
    assert at_once.windows == one_by_one.windows


def photographs(count: int, *, seed: int) -> list[np.ndarray]:
    """Grey parts with some texture; one in twenty has a bright spot."""
    random = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        image = random.normal(random.normal(90, 8), 12, (32, 32))
        image += 25 * np.sin(np.arange(32) / 3 + random.random())[None, :]
        if random.random() < 0.05:
            image[8:16, 8:16] += 120
        images.append(np.clip(image, 0, 255).astype(np.uint8))
    return images


def darkened(image: np.ndarray) -> np.ndarray:
    return (image * 0.8).astype(np.uint8)


def blurred(image: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, 0.7)


def noisier(image: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(int(image.sum()))
    return np.clip(image + random.normal(0, 6, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> tuple[DeployedDetector, DriftReference]:
    """A detector with its operating point, and a reference made of its own predictions."""
    from twinloop.contracts import Decision
    from twinloop.vision.monitoring.reference import make_reference
    from twinloop.vision.monitoring.statistics import observe

    folder = tmp_path_factory.mktemp("station")
    exported = write_detector(folder / "onnx")
    detector = DeployedDetector(exported, operating_point=write_point(folder / "point.json", exported))

    def seen(images: list[np.ndarray]) -> Observations:
        found = detector.predict_batch(images)
        return observe(
            np.stack(images)[..., None],
            [one.heat for one in found],
            np.array([one.score for one in found]),
            np.array([one.decision is not Decision.ACCEPT for one in found]),
            np.array([one.unlike for one in found]),
        )

    reference = make_reference(
        seen(photographs(80, seed=1)),
        seen(photographs(150, seed=2)),
        np.zeros(150, np.int64),
        [str(place) for place in range(150)],
        prevalence=np.array([1.0, 0.0]),
        model=detector.backend.about.model,
        shape=(32, 1),
        settings=DriftSettings(),
        seed=0,
    )
    return detector, reference


@pytest.mark.parametrize(
    ("change", "statistic"),
    [(darkened, "brightness"), (blurred, "sharpness"), (blurred, "noise"), (noisier, "noise")],
    ids=["darkened", "blurred: sharpness", "blurred: noise", "noisier"],
)
def test_darker_blurred_and_noisier_images_are_noticed_within_one_window(
    station: tuple[DeployedDetector, DriftReference], change: object, statistic: str
) -> None:
    detector, reference = station
    images = photographs(100, seed=3)
    calm, stirred = PictureMonitor(reference), PictureMonitor(reference)
    assert calm.watch(images, detector.predict_batch(images)) == ()
    moved = [change(image) for image in images]  # type: ignore[operator]
    alarms = stirred.watch(moved, detector.predict_batch(moved))
    assert statistic in {alarm.statistic for alarm in alarms}


def test_images_of_another_size_are_judged_as_the_detector_sees_them(
    station: tuple[DeployedDetector, DriftReference],
) -> None:
    detector, reference = station
    images = [np.kron(image, np.ones((3, 3), np.uint8)) for image in photographs(100, seed=3)]
    assert PictureMonitor(reference).watch(images, detector.predict_batch(images)) == ()


def test_predictions_without_a_decision_are_refused(
    station: tuple[DeployedDetector, DriftReference], tmp_path_factory: pytest.TempPathFactory
) -> None:
    undecided = DeployedDetector(write_detector(tmp_path_factory.mktemp("bare")))
    images = photographs(3, seed=0)
    with pytest.raises(InputError, match="give the detector its operating point"):
        PictureMonitor(station[1]).watch(images, undecided.predict_batch(images))
    assert PictureMonitor(station[1]).watch([], []) == ()


@pytest.mark.parametrize(
    "changes", [{"window": 4}, {"false_alarms_per_1000_windows": 0.0}, {"false_alarms_per_1000_windows": 501.0}]
)
def test_settings_out_of_range_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^DriftSettings.{next(iter(changes))}"):
        DriftSettings(**changes)  # type: ignore[arg-type]
