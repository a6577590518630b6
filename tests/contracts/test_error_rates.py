import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import beta

from tests.contracts.curves import CLASSES, measured, perfect
from twinloop.contracts import OperatingCurve, error_rates
from twinloop.contracts.curve_settings import CurveSettings
from twinloop.contracts.error_rates import line_mix, threshold_grid
from twinloop.errors import InputError


def test_no_escape_among_twenty_parts_is_not_a_promise_of_none() -> None:
    curve = perfect(100, 20, draws=2000)
    escapes = np.array([curve.accepted(draw=draw)[1] for draw in range(1, curve.draws + 1)])
    assert curve.accepted()[1] == pytest.approx(0.5 / 21)
    for level in (0.5, 0.9, 0.975):  # Jeffreys: Beta(k + ½, n − k + ½) with k = 0
        assert np.quantile(escapes, level) == pytest.approx(beta(0.5, 20.5).ppf(level), rel=0.15)


def test_a_rate_has_the_jeffreys_posterior() -> None:
    labels = np.repeat([0, 1], [50, 30])
    probabilities = np.where(np.arange(80) % 5 == 0, 0.9, 0.1)  # 10 of 50 good parts, 6 of 30 cracks score high
    curve = OperatingCurve.of_probabilities(
        probabilities,
        labels,
        groups=[str(place) for place in range(80)],
        classes=("good", "crack"),
        settings=CurveSettings(draws=2000),
        repeatability=0.5,
        seed=1,
        model="test",
    )
    rejects = np.array([curve.rejected(draw=draw)[0] for draw in range(1, 2001)])
    posterior = beta(10.5, 40.5)
    assert curve.rejected()[0] == pytest.approx(posterior.mean())
    assert rejects.mean() == pytest.approx(posterior.mean(), abs=0.005)
    assert np.quantile(rejects, [0.025, 0.975]) == pytest.approx(posterior.ppf([0.025, 0.975]), abs=0.015)


def test_counts_are_parts_and_exposures_of_one_part_are_no_new_evidence() -> None:
    once, often = perfect(100, 20), measured(good=100, crack=20, pit=5, exposures=6)
    assert once.counts.tolist() == [100, 20]
    assert often.counts.tolist() == [100, 20, 5]
    # six photographs of five parts still leave the doubt of five parts
    spread = np.std([often.accepted(draw=draw)[2] for draw in range(1, often.draws + 1)])
    assert spread > 0.05


def test_draws_are_whole_curves_and_repeat() -> None:
    one, two = measured(seed=4), measured(seed=4)
    assert np.array_equal(one.below, two.below)
    assert not np.array_equal(one.below[1:], measured(seed=5).below[1:])
    assert np.all(np.diff(one.below, axis=-1) >= 0)
    # neighbouring thresholds move together: that is what "joint" means
    middle = one.below.shape[-1] // 2
    assert np.corrcoef(one.below[1:, 1, middle], one.below[1:, 1, middle + 3])[0, 1] > 0.5


def test_a_class_without_a_part_is_unknown_not_perfect() -> None:
    curve = measured(pit=0, defect_mix={"crack": 0.5, "pit": 0.5})
    assert curve.counts[2] == 0
    assert curve.accepted()[2] == pytest.approx(0.5)
    assert curve.prevalence == pytest.approx([0.97, 0.015, 0.015])


def test_the_mix_of_defects_is_as_observed_or_as_configured() -> None:
    counts = np.array([100, 30, 10])
    assert line_mix(CLASSES, counts, defect_rate=0.04, mix={}) == pytest.approx([0.96, 0.03, 0.01])
    configured = line_mix(CLASSES, counts, defect_rate=0.04, mix={"crack": 1, "pit": 1})
    assert configured == pytest.approx([0.96, 0.02, 0.02])


@pytest.mark.parametrize("mix", [{"crack": 1.0}, {"crack": 1.0, "pit": 1.0, "dent": 1.0}, {"dent": 1.0}])
def test_a_mix_of_other_classes_is_refused(mix: dict[str, float]) -> None:
    with pytest.raises(InputError, match="the data has the defect classes crack, pit"):
        line_mix(CLASSES, np.array([1, 1, 1]), defect_rate=0.04, mix=mix)


def test_a_split_without_defects_is_refused() -> None:
    with pytest.raises(InputError, match="at least one defective part"):
        line_mix(CLASSES, np.array([5, 0, 0]), defect_rate=0.04, mix={})


def test_the_grid_holds_todays_threshold() -> None:
    grid = threshold_grid(40, include=0.37)
    assert 0.37 in grid
    assert np.all(np.diff(grid) > 0)
    assert grid[0] < 1e-5
    assert grid[-1] > 1 - 1e-5


def test_the_grid_is_even_in_log_odds_and_as_long_as_it_was_asked_to_be() -> None:
    grid = threshold_grid(40, include=0.37)
    assert len(grid) == 40
    steps = np.diff(logit(grid[grid != 0.37]))
    assert steps == pytest.approx(np.full(38, 24 / 38))
    assert 0.5 in threshold_grid(21)  # even in log odds it would not be
    assert len(threshold_grid(21)) == 21


def test_exposures_of_a_part_count_by_their_share() -> None:
    # Part a scores low in two of three pictures, part b in none; both are cracks. The good part scores low.
    curve = OperatingCurve.of_probabilities(
        np.array([0.2, 0.2, 0.9, 0.6, 0.1]),  # 0.6 is not below today's threshold, as the station decides
        np.array([1, 1, 1, 1, 0]),
        groups=["a", "a", "a", "b", "c"],
        classes=("good", "crack"),
        settings=CurveSettings(draws=3, pseudo_count=2.0, today_threshold=0.6, line_defect_rate=0.1),
        repeatability=0.7,
        seed=1,
        model="abc",
    )
    # Prior: one part below, one above every threshold.
    assert curve.accepted() == pytest.approx([(1 + 1) / 3, (1 + 2 / 3) / 4])
    assert (curve.accept_below, curve.reject_from, curve.repeatability, curve.model) == (0.6, 0.6, 0.7, "abc")
    assert curve.counts.tolist() == [1, 2]
    assert curve.prevalence == pytest.approx([0.9, 0.1])
    assert curve.draws == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"line_defect_rate": 0.0},
        {"line_defect_rate": 1.0},
        {"today_threshold": 1.5},
        {"draws": 0},
        {"repeatability": -0.1},
        {"defect_mix": {"crack": 0.0}},
        {"calibration": "guess"},
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^CurveSettings.{next(iter(changes))}"):
        CurveSettings(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("exposures", [1, 3])
def test_of_many_parts_the_draws_are_the_same(exposures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    few = measured(good=200, exposures=exposures, draws=20)
    monkeypatch.setattr(error_rates, "MANY_PARTS", 0)
    many = measured(good=200, exposures=exposures, draws=20)
    assert many.below == pytest.approx(few.below, abs=1e-12)
    assert many.counts.tolist() == few.counts.tolist()


def test_a_score_on_a_threshold_is_not_below_it_however_many_parts_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_rates, "MANY_PARTS", 0)
    test_exposures_of_a_part_count_by_their_share()
