import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.monitoring.lines import parts, reference_of
from twinloop.errors import InputError
from twinloop.learning.drift_settings import DriftSettings
from twinloop.vision.monitoring.reference import DISTANCE, MEASURED, DriftReference, line_sample, make_reference


def test_a_saved_reference_measures_the_same(tmp_path: Path) -> None:
    reference, seen = reference_of(3), parts(40, seed=9)[0]
    reference.save(tmp_path / "reference.json")
    again = DriftReference.load(tmp_path / "reference.json")
    assert (again.model, again.size, again.channels, again.settings) == ("digest", 32, 1, DriftSettings())
    assert np.array_equal(again.stopped, reference.stopped)
    for name in MEASURED:
        assert np.array_equal(again.values[name], reference.values[name])
        assert np.array_equal(again.measure(seen)[name], reference.measure(seen)[name])


def test_later_parts_are_no_further_from_the_centre_than_the_references() -> None:
    # Fitted on the same images, the reference's distances would be smaller than any later day's.
    medians = [
        (np.median(reference.values[DISTANCE]), np.median(reference.measure(parts(500, seed=seed + 7)[0])[DISTANCE]))
        for seed in range(0, 400, 10)
        for reference in [reference_of(seed, good=40)]
    ]
    reference, later = np.array(medians).T
    assert np.mean(later - reference) == pytest.approx(0, abs=0.1)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(0, 30), min_size=2, max_size=4).filter(lambda counts: counts[0] > 0 and sum(counts[1:]) > 0),
    st.floats(0.01, 0.6),
    st.integers(1, 3),
    st.integers(0, 100),
)
def test_the_sample_takes_each_part_once_and_follows_the_lines_mix(
    counts: list[int], rate: float, exposures: int, seed: int
) -> None:
    labels = np.repeat(np.repeat(np.arange(len(counts)), counts), exposures)
    groups = [str(part) for part in np.repeat(np.arange(sum(counts)), exposures)]
    kinds = np.array(counts[1:]) > 0
    prevalence = np.concatenate([[1 - rate], rate * kinds / kinds.sum()])
    chosen = line_sample(labels, groups, prevalence=prevalence, seed=seed)
    assert len({groups[place] for place in chosen}) == len(chosen)
    taken = np.bincount(labels[chosen], minlength=len(counts))
    assert np.all(taken <= counts)
    assert np.all(np.abs(taken - prevalence * len(chosen)) <= 1 + 1e-9)
    # no larger sample would keep the mix
    assert len(chosen) + 1 > min(count / share for count, share in zip(counts, prevalence, strict=True) if share > 0)
    assert np.array_equal(chosen, line_sample(labels, groups, prevalence=prevalence, seed=seed))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "found none: run the evaluate stage first"),
        ("not json", "not a drift reference"),
        ("[]", "not a drift reference"),
        (json.dumps({"version": 99}), "version 99, expected 2"),
        (json.dumps({"version": 2}), "not a drift reference"),
    ],
)
def test_a_file_that_is_no_reference_is_named_with_the_remedy(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "drift_reference.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=told) as caught:
        DriftReference.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_split_with_too_few_parts_is_refused() -> None:
    one, _ = parts(1, seed=0)
    many, _ = parts(20, seed=1)
    for good, measured in ((one, many), (many, one)):
        with pytest.raises(InputError, match="at least 2 good validation images and 2 test parts"):
            make_reference(
                good,
                measured,
                np.zeros(len(measured), np.int64),
                [str(place) for place in range(len(measured))],
                prevalence=np.array([0.97, 0.03]),
                model="",
                shape=(32, 1),
                settings=DriftSettings(),
                seed=0,
            )
