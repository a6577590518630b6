import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from numpy.testing import assert_allclose

from tests.reporting.pictures import assert_tells
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.numbers import Interval
from twinloop.reporting.figures import data, model, ranking, simulation, training

HOSTILE = "<script>alert(1)</script> $x_1$"
IMAGES = np.full((3, 16, 16, 1), 120, dtype=np.uint8)
MASKS = np.zeros((3, 16, 16), dtype=np.uint8)
MASKS[1, 4:8, 4:8] = 1
THRESHOLDS = np.array([0.1, 0.5, 0.9])
# below[draw, class, threshold]: of good parts 80, 90, 100 %, of defects 10, 20, 40 % score under the thresholds.
ESTIMATE = np.array([[0.8, 0.9, 1.0], [0.1, 0.2, 0.4]])
CURVE = OperatingCurve(
    thresholds=THRESHOLDS,
    classes=("good", "crack"),
    below=np.stack([ESTIMATE, ESTIMATE * [[1.0], [0.5]], ESTIMATE * [[1.0], [1.5]]]),
    prevalence=np.array([0.97, 0.03]),
    counts=np.array([50, 40]),
    repeatability=0.8,
    accept_below=0.1,
    reject_from=0.5,
    model="m",
)
POINT = model.Point("chosen 0.10 … 0.50", Interval(0.1, 0.05, 0.2), Interval(0.1, 0.08, 0.12))
GAINS = {"buffer 2": Interval(50, -10, 110), HOSTILE: Interval(300, 200, 400), "plan": Interval(-40, -60, -20)}
TODAY = simulation.Operated("today 0.50", 0.5, 0.5, Interval(900, 850, 950))
CHOSEN = simulation.Operated("chosen 0.05 … 0.20", 0.05, 0.2, Interval(1000, 940, 1060))
PROFITS = [(0.01, Interval(-5000, -5100, -4900)), (0.1, Interval(980, 930, 1030)), (0.5, Interval(900, 850, 950))]

FIGURES = {
    "class split": lambda: data.class_split_bars(
        pl.DataFrame({"label": ["good", HOSTILE], "split": ["train", "test"]})
    ),
    "defect sizes": lambda: data.defect_sizes({"crack": np.array([0.01, 0.02]), HOSTILE: np.array([0.1])}),
    "learning curves": lambda: training.learning_curves([1, 2], {"training": [2, 1]}, {"AP": [0.5, 0.9]}, kept=2),
    "tuning history": lambda: training.tuning_history([0.5, None, 0.7], score="AP"),
    "pareto front": lambda: training.pareto_front(
        [2.0, 5.0, 3.0], [0.9, 0.95, 0.8], front=[True, True, False], chosen=0, score="AP"
    ),
    "importances": lambda: training.importances({"model.width": 0.75, HOSTILE: 0.25}),
    "parallel": lambda: training.parallel({"rate": [0.1, 0.001], "loss": [HOSTILE, "dice"]}, [0.8, 0.9], score="AP"),
    "ranking": lambda: ranking.ranking(
        ranking.ranked(["good", "crack", "good", "crack"], np.array([0.1, 0.9, 0.3, 0.2]), list("abcd"))
    ),
    "reliability": lambda: ranking.reliability(
        np.array([0.1, 0.9]), np.array([0.0, 1.0]), np.array([20.0, 5.0]), ece=0.1
    ),
    "operating curve": lambda: model.operating_curve(CURVE, [POINT]),
    "confusion": lambda: model.confusion(["good", HOSTILE], ["good", "good"], classes=["good", HOSTILE]),
    "latency": lambda: model.latency({"FP32": {"p50_ms": 1.5, "p95_ms": 2.0, "p99_ms": 4.0}}),
    "recalls": lambda: model.recalls({"good": (9, 10), HOSTILE: (0, 0)}),
    "profit": lambda: simulation.profit_against_threshold(PROFITS, today=TODAY, chosen=CHOSEN),
    "levers": lambda: simulation.lever_ranking(GAINS),
    "scenarios": lambda: simulation.scenario_comparison(GAINS, what="throughput", unit="parts/day"),
    "OEE": lambda: simulation.oee_waterfall(0.9, 0.8, 0.5),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_labels_its_axes_with_units_has_words_and_can_be_drawn(name):
    figure = FIGURES[name]()
    assert_tells(figure)
    for axes in figure.axes:
        assert axes.get_title(loc="left") or len(figure.axes) > 2
        labels = [axes.get_xlabel(), axes.get_ylabel()]
        assert any(labels), name
        named = {"epoch", "trial", "setting", "true class", "class the detector says", "loss"}
        for label in filter(None, labels):
            assert "(" in label or label in named or label.startswith("threshold: probability"), label


def lines(axes: Axes) -> list[np.ndarray]:
    return [np.column_stack([line.get_xdata(), line.get_ydata()]) for line in axes.lines]


def widths(axes: Axes) -> list[float]:
    return [patch.get_width() for patch in axes.patches]


def test_bars_per_class_count_images():
    index = pl.DataFrame({"label": ["good"] * 3 + ["crack"], "split": ["train", "train", "test", "val"]})
    axes = data.class_split_bars(index).axes[0]
    assert widths(axes) == [2, 0, 0, 1, 1, 0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["good", "crack"]


def test_a_contact_sheet_outlines_defects_only_where_there_are_some():
    figure = data.contact_sheet(IMAGES, MASKS, titles=["good", "pit", "good"], columns=3)
    assert [len(axes.collections) for axes in figure.axes] == [0, 2, 0]
    assert figure.css_width <= 800


@pytest.mark.parametrize("length", range(3, 12))
def test_shortened_names_fit_and_keep_their_ends(length):
    assert len(data.shortened("station_number_one", length)) <= length
    assert data.shortened("station_number_one", length)[-1] == "e"
    assert data.shortened("mill", 4) == "mill"


def test_the_kept_epoch_is_marked():
    left, right = FIGURES["learning curves"]().axes
    assert lines(left)[-1][:, 0].tolist() == [2, 2]
    assert_allclose(lines(right)[0], [[1, 0.5], [2, 0.9]])


def test_the_best_so_far_never_falls_and_passes_over_stopped_trials():
    axes = training.tuning_history([0.5, None, 0.4, 0.7], score="AP").axes[0]
    assert lines(axes)[0][:, 1].tolist() == [0.5, 0.5, 0.5, 0.7]


@pytest.mark.parametrize(
    "figure",
    [
        lambda: training.tuning_history([], score="AP"),
        lambda: training.importances({}),
        lambda: training.parallel({}, [0.5], score="AP"),
    ],
)
def test_a_search_without_trials_is_said_in_words(figure):
    assert figure().axes == []
    assert "trials" in figure().alt


def test_the_front_is_drawn_in_order_of_time_and_the_trial_that_is_used_is_named():
    latencies, scores, front = [2.0, 5.0, 3.0, 1.0], [0.9, 0.95, 0.8, 0.7], [True, True, False, True]
    figure = training.pareto_front(latencies, scores, front=front, chosen=0, score="AP")
    line = figure.axes[0].lines[0]
    assert line.get_xydata().tolist() == [[1.0, 0.7], [2.0, 0.9], [5.0, 0.95]]
    assert figure.alt == "4 trials, 3 on the Pareto front of AP against latency; used: AP 0.900 at 2 ms"


def test_without_latencies_there_is_no_front_and_the_figure_says_so():
    figure = training.pareto_front([], [], front=[], chosen=None, score="AP")
    assert figure.axes == []
    assert "latency is none of the study's, so it was not measured" in figure.alt


def test_ranking_equals_scikit_learn():
    from sklearn.metrics import average_precision_score, roc_auc_score

    rng = np.random.default_rng(4)
    labels = ["good" if value < 0.6 else "crack" for value in rng.random(200)]
    scores = np.round(rng.normal(size=200) + [label != "good" for label in labels], 1)
    found = ranking.ranked(labels, scores, [str(k // 2) for k in range(200)], draws=50)
    defective = np.array([label != "good" for label in labels])
    assert found.auroc == pytest.approx(roc_auc_score(defective, scores), abs=1e-12)
    assert found.ap == pytest.approx(average_precision_score(defective, scores), abs=1e-12)
    assert np.all(np.diff(found.hits) >= 0)
    assert np.all(np.diff(found.precision) <= 0)
    assert np.mean((found.hits_band[0] <= found.hits) & (found.hits <= found.hits_band[1])) > 0.9


def test_ranking_needs_both_kinds():
    with pytest.raises(InputError, match="good and defective"):
        ranking.ranked(["good"], np.array([0.1]), ["a"])


def test_the_operating_curve_shows_the_measured_rates():
    axes = model.operating_curve(CURVE, [POINT]).axes[0]
    assert_allclose(lines(axes)[0], [[20, 10], [10, 20], [0, 40]], atol=1e-9)
    point = next(line for line in axes.lines if line.get_marker() == "s")
    assert (*point.get_xdata(), *point.get_ydata()) == (10, 10)


def test_reliability_intervals_hold_the_observed_share():
    axes = FIGURES["reliability"]().axes[0]
    low, high = axes.collections[0].get_segments()[0][:, 1], axes.collections[0].get_segments()[1][:, 1]
    assert low[0] <= 0 <= low[1]
    assert high[0] < 100 <= high[1] + 1e-9


def test_confusion_counts_by_true_row_and_said_column():
    figure = model.confusion(["good", "pit", "pit"], ["good", "good", "pit"], classes=["good", "pit"])
    found = {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in figure.axes[0].texts
    }
    assert found == {(0, 0): "1", (1, 0): "1", (1, 1): "1"}


def test_a_gallery_pairs_each_image_with_its_map():
    figure = model.gallery(IMAGES, MASKS, np.zeros((3, 4, 4)), titles=["a", "b", "c"], label="heat (0 … 1)", columns=2)
    pairs = [len(axes.images) for axes in figure.axes if axes.get_visible()][:6]
    assert pairs == [1, 2, 1, 2, 1, 2]


def test_profit_marks_both_points_and_keeps_far_losses_off_the_picture():
    axes = FIGURES["profit"]().axes[0]
    marked = [line.get_ydata()[0] for line in axes.lines if line.get_marker() in ("s", "o")]
    assert marked == [900, 1000]
    assert axes.get_ylim()[0] > -100
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.01", "0.03", "0.1", "0.2", "0.5"]


def test_levers_are_ranked_and_unsure_ones_are_grey():
    axes = simulation.lever_ranking(GAINS).axes[0]
    assert widths(axes) == [300, 50, -40]
    assert len({patch.get_facecolor() for patch in axes.patches}) == 3
    assert axes.get_yticklabels()[0].get_text().startswith("<script>")


def test_the_waterfall_ends_at_oee():
    axes = simulation.oee_waterfall(0.9, 0.8, 0.5).axes[0]
    heights = [patch.get_height() for patch in axes.patches]
    assert_allclose(heights, [100, 10, 18, 36, 36])
    assert sum(heights[1:]) == pytest.approx(100)
