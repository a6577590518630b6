import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.simulation.pricing import written
from tests.simulation.pricing.written import PRICES, line, scores_of
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.numbers import percent
from twinloop.simulation import Economy, ExperimentSettings
from twinloop.simulation.pricing.pricing import Priced, halves, part_costs, price, usual_levers
from twinloop.simulation.pricing.scores import Scores, read_scores

QUICK = ExperimentSettings(days=1.0, warmup_days=0.1, replications=4, thresholds=3, levers=usual_levers(line())[:2])


def priced(scores: Scores, **changes: object) -> Priced:
    how = {"today": 0.5, "defect_rate": 0.05, "experiment": QUICK} | changes
    return price(scores, line(), PRICES, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    return scores_of(tmp_path_factory.mktemp("scores") / "scores.csv")


@pytest.fixture(scope="module")
def worth(scores: Scores) -> Priced:
    return priced(scores)


def test_the_answer_is_the_front_pages_with_levers_and_profit_at_every_threshold(worth: Priced) -> None:
    assert worth.answer["sentence"].endswith(".")
    assert {gain.lever.name for gain in worth.sensitivity.gains} == {
        "the chosen threshold",
        "a model with half the errors",
    }
    kinds = worth.sensitivity.threshold_frame()["kind"].to_list()
    assert sorted(kinds) == ["chosen", "grid", "grid", "grid", "today"]
    assert worth.sensitivity.today.model == "scores"


def test_what_is_measured_chose_nothing(worth: Priced, scores: Scores) -> None:
    choosing, measuring = halves(scores, seed=1)
    assert worth.curve.counts.sum() == measuring.sum()
    assert not (choosing & measuring).any()
    assert worth.curve.draws == 200
    assert worth.curve.prevalence[0] == pytest.approx(0.95)


def test_thresholds_are_told_as_the_table_has_them(worth: Priced) -> None:
    assert worth.as_given(worth.today.accept_below) == pytest.approx(0.5)
    chosen = worth.record()["as_scored"]["chosen"]
    assert 0 < chosen["accept_below"] <= chosen["reject_from"] < 1


def test_the_same_scores_have_the_same_price_for_any_number_of_workers(worth: Priced, scores: Scores) -> None:
    again = priced(scores, workers=2)
    assert again.record() == worth.record()
    assert priced(scores, seed=2).record() != worth.record()


def test_a_better_model_is_worth_more(tmp_path: Path, worth: Priced) -> None:
    better = priced(scores_of(tmp_path / "better.csv", apart=12.0))
    earned, before = (one.answer["profit_per_day_chosen"]["mean"] for one in (better, worth))
    assert earned > before


def test_a_part_stays_whole_and_both_kinds_are_halved(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    kinds = [(part, "good" if part % 3 else "bad") for part in range(60)]
    rows = [f"p{part},{kind},{look - part % 3}" for part, kind in kinds for look in (0, 1)]
    path.write_text("\n".join(["part,class,score", *rows]))
    scores = read_scores(path)
    choosing, measuring = halves(scores, seed=3)
    assert not set(scores.groups[choosing]) & set(scores.groups[measuring])
    assert len(set(scores.groups[choosing & scores.defective])) == 10
    assert len(set(scores.groups[choosing & ~scores.defective])) == 20


def test_a_split_of_the_table_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("class,score,split\ngood,0.1,val\nbad,0.9,Validation\ngood,0.2,test\nbad,0.8,TEST\n")
    choosing, measuring = halves(read_scores(path), seed=1)
    assert choosing.tolist() == [True, True, False, False]
    assert measuring.tolist() == [False, False, True, True]
    path.write_text("class,score,split\ngood,0.1,val\nbad,0.9,test\ngood,0.2,test\nbad,0.8,test\n")
    with pytest.raises(InputError, match="split val: expected good and defective parts in it"):
        halves(read_scores(path), seed=1)


def test_too_few_parts_do_both_and_it_is_said(tmp_path: Path) -> None:
    found = priced(scores_of(tmp_path / "few.csv", good=30, defective=1))
    assert found.curve.counts.sum() == 31
    assert any(note.startswith("too few parts to choose on some") for note in found.notes)


def test_what_was_not_given_is_assumed_and_said(scores: Scores) -> None:
    found = priced(scores, today=None, defect_rate=None)
    assert f"{percent(0.05)} of the line's parts are defective, as the line assumes" in found.notes
    assert "today's threshold was taken to be 0.500" in found.notes
    plain = dataclasses.replace(scores, are_probabilities=False)
    assert any(note.startswith("today's threshold was taken to be") for note in priced(plain, today=None).notes)


def curve(passed: float, repeatability: float = 0.0) -> OperatingCurve:
    """Good parts pass a look with this probability, defective ones one time in ten."""
    return OperatingCurve(
        thresholds=np.array([0.5]),
        classes=("good", "bad"),
        below=np.array([[[passed], [0.1]]]),
        prevalence=np.array([0.9, 0.1]),
        counts=np.array([10, 10]),
        repeatability=repeatability,
        accept_below=0.5,
        reject_from=0.5,
        model="hand",
    )


def test_a_wrong_decision_costs_what_was_computed_by_hand() -> None:
    economy = Economy(revenue=20.0, scrap=1.0, rework=4.0, escape=100.0, reinspection=0.5)
    scrapped = part_costs(line(rework=False), economy, curve(0.8))
    # A good part lost: 20 + 1. An escape costs 100, a right reject would have cost the same 21.
    assert dataclasses.astuple(scrapped) == pytest.approx((79.0, 21.0, 0.5))
    reworked = part_costs(line(), economy, curve(0.8))
    # Independent looks: a fifth of the reworked good parts are rejected again; three in ten repairs fail.
    assert dataclasses.astuple(reworked) == pytest.approx((100 - 4 - 0.3 * 21, 4 + 0.2 * 21, 0.5))
    stubborn = part_costs(line(), economy, curve(0.8, repeatability=1.0))
    assert stubborn.false_reject == pytest.approx(4 + 21)


def test_an_escape_that_costs_less_than_a_reject_costs_nothing() -> None:
    assert part_costs(line(rework=False), Economy(escape=1.0), curve(0.9)).escape == 0


def test_without_a_second_look_there_is_one_threshold(scores: Scores) -> None:
    found = price(scores, line(looks=1), PRICES, today=0.5, experiment=QUICK)
    assert found.chosen.accept_below == found.chosen.reject_from


def test_a_line_has_the_levers_of_what_it_has() -> None:
    names = [lever.lever for lever in usual_levers(line())]
    assert names == ["threshold", "model", "buffer"]
    law = {"kind": "exponential", "mean": 100.0}
    broken = line().with_({"stations.press.failure": law, "stations.press.repair": {**law, "mean": 5.0}})
    assert [lever.lever for lever in usual_levers(broken)] == ["threshold", "model", "maintenance", "buffer"]


def test_a_line_without_inspection_is_refused(scores: Scores) -> None:
    blind = line(rework=False).with_({"stations.camera.inspects": False})
    with pytest.raises(InputError, match="price: line: no station inspects: give one of them inspects: true"):
        price(scores, blind, PRICES)


def test_scores_that_fall_with_defects_are_refused(scores: Scores) -> None:
    with pytest.raises(InputError, match="scores fall with defects"):
        priced(dataclasses.replace(scores, values=-scores.values))


def test_a_model_that_knows_nothing_is_priced(scores: Scores) -> None:
    noise = np.random.default_rng(0).normal(size=len(scores.values))
    assert priced(dataclasses.replace(scores, values=noise)).answer["sentence"]


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_a_defect_rate_that_is_none_is_refused(scores: Scores, rate: float) -> None:
    with pytest.raises(InputError, match="expected a share between 0 and 1"):
        priced(scores, defect_rate=rate)


@pytest.mark.parametrize(
    ("today", "probabilities", "reason"),
    [(12.0, True, "a threshold of 12 today: expected a probability"), (float("nan"), False, "expected a finite score")],
)
def test_a_threshold_that_is_none_is_refused(scores: Scores, today: float, probabilities: bool, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        priced(dataclasses.replace(scores, are_probabilities=probabilities), today=today)


def test_a_class_that_only_the_line_knows_is_refused(scores: Scores) -> None:
    other = line().with_({"rework.success_by_class": {"dent": 0.5}})
    with pytest.raises(InputError, match="dent"):
        price(scores, other, PRICES, experiment=QUICK)


def test_many_parts_are_measured_in_little_memory() -> None:
    count = 60_000
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(count) < 0.1, "bad", "good")
    many = Scores(rng.normal(labels == "bad"), False, labels, np.arange(count), None, None, ())
    assert priced(many, today=1.0).curve.counts.sum() == pytest.approx(count / 2, abs=1)


def test_the_same_scores_are_read_and_priced_as_people_have_them(tmp_path: Path) -> None:
    """One example each: a notebook's table from scikit-learn, anomalib's predictions, a camera vendor's export."""
    for write in (written.scikit_learn, written.anomalib, written.vendor):
        found = priced(read_scores(write(tmp_path / f"{write.__name__}.csv")), today=None)
        assert found.answer["gain_per_day"] is not None
    assert found.scores.latency_ms == pytest.approx(25.0)
    assert found.curve.repeatability > 0.8
