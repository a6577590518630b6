import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.twins.factory.exported import CLASSES, stage
from twinloop.files import read_json, write_json
from twinloop.reporting.figures import explanations, monitoring
from twinloop.twins.factory import evaluate, paths
from twinloop.twins.factory.results.explanation import Explanation
from twinloop.twins.factory.results.instrument import Instrument
from twinloop.twins.factory.results.model import Training


@pytest.fixture(scope="module")
def root(exported_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "root"
    shutil.copytree(exported_root, folder)
    evaluate.run(stage(folder, evaluate={"takt_min": 1.9}))
    return folder


def changed(root: Path, folder: Path, **figures: Any) -> Path:
    """A copy whose evaluation found other figures."""
    clone = folder / "root"
    shutil.copytree(root, clone)
    path = clone / paths.metrics("evaluate")
    write_json(path, {**read_json(path), **figures})
    return clone


def column(table: Any, place: int) -> list[str]:
    return [row[place] for row in table.rows]


def test_the_page_shows_every_map_with_its_verdict_beside_the_blob(root: Path) -> None:
    explanation = Explanation(root)
    table = explanation.verdicts()
    titles = ["heat map", "attention of the head", "GradCAM", "blob in the middle", "random map"]
    assert column(table, 0) == titles
    assert all("blob in the middle" in verdict for verdict in column(table, 5)[:3])
    assert column(table, 5)[3:] == ["–", "–"]
    assert column(explanation.gains(), 2)[:2] == ["blob in the middle", "random map"]
    assert len(explanation.gains().rows) == 3 * 4 * 2
    for figure in (
        explanations.side_by_side(**explanation.side_by_side()),
        explanations.explanation_scores(**explanation.scored()),
        explanations.perturbation_curves(**explanation.curves()),
    ):
        assert figure.png.startswith(b"\x89PNG")


def test_defective_images_are_shown_side_by_side(root: Path) -> None:
    shown = Explanation(root).side_by_side()
    assert len(shown["images"]) == 6
    assert shown["masks"].any(axis=(1, 2)).all()
    assert list(shown["maps"]) == ["heat map", "attention of the head", "GradCAM"]


def test_what_was_left_out_is_said(root: Path, tmp_path: Path) -> None:
    clone = changed(root, tmp_path, explanations_left_out="attention, network")
    assert Explanation(clone).verdicts().caption.endswith("this kind of detector has no attention, network")


def test_repeatability_is_a_figure_and_a_table(root: Path) -> None:
    instrument = Instrument(root)
    assert list(instrument.gauge()) == column(instrument.gauge_table(), 0) == [*CLASSES, "all parts"]
    assert monitoring.gauge(instrument.gauge()).png.startswith(b"\x89PNG")


def test_latency_is_held_against_takt_and_an_unknown_takt_is_said(root: Path, tmp_path: Path) -> None:
    latency = read_json(root / paths.LATENCY)
    latency["fp32"]["p99_ms"] = 1140.0
    clone = changed(root, tmp_path)
    write_json(clone / paths.LATENCY, latency)
    assert column(Instrument(clone).takt(), 1) == ["1\u202f140\u202fms", "114\u202fs", "1.00\u202f%", "100"]
    write_json(clone / paths.metrics("evaluate"), {**read_json(clone / paths.metrics("evaluate")), "takt_s": None})
    assert "takt_min" in column(Instrument(clone).takt(), 1)[-1]


@pytest.mark.parametrize(("confirmed", "told"), [(True, "yes"), (False, "no: up to")])
def test_the_limit_on_escapes_is_shown_with_what_came_of_it(
    root: Path, tmp_path: Path, confirmed: bool, told: str
) -> None:
    clone = changed(
        root,
        tmp_path,
        escape_limit="met",
        escape_limit_ppm=900.0,
        escape_limit_confirmed=confirmed,
        escape_limit_result="escapes stay under it",
    )
    rows = dict(Instrument(clone).escapes().rows)
    assert rows["limit asked for"] == "900\u202fppm"
    assert rows["kept by the choice of thresholds"] == "met: escapes stay under it"
    assert rows["confirmed by the test parts"].startswith(told)
    assert dict(Instrument(root).escapes().rows)["limit asked for"] == "none"


def test_the_figure_of_the_unlike_score_shows_good_and_spoilt_pictures_and_the_limit(root: Path) -> None:
    shown = Instrument(root).unlike()
    assert list(shown["scores"])[:2] == ["good", "black"]
    assert len(shown["scores"]) == 13
    assert min(shown["scores"]["black"]) > shown["limit"]
    figure = monitoring.unlike(**shown)
    assert figure.png.startswith(b"\x89PNG")
    assert "black 100" in figure.alt


def test_the_drift_table_names_every_statistic_and_the_promise(root: Path) -> None:
    table = Instrument(root).drift()
    assert column(table, 0) == [
        "score",
        "embedding distance",
        "brightness",
        "contrast",
        "sharpness",
        "noise",
        "share stopped",
        "share unlike anything learnt",
    ]
    assert "windows of 100 images; at most 1.00 false alarms in 1000 windows" in table.caption


def test_classes_have_their_escapes_and_region_overlap(root: Path) -> None:
    table = Training(root).by_class()
    assert column(table, 0) == list(CLASSES[1:])
    assert column(table, 1) == ["6", "6"]


def test_a_detector_that_names_no_defects_has_a_dash_and_two_classes(root: Path, tmp_path: Path) -> None:
    import polars as pl

    clone = changed(root, tmp_path, type_accuracy=None)
    path = clone / paths.EVALUATION / "predictions.parquet"
    pl.read_parquet(path).with_columns(defect_type=pl.lit("defect")).write_parquet(path)
    training = Training(clone)
    assert (
        dict(zip(column(training.summary(), 0), column(training.summary(), 1), strict=True))["defect type right"] == "–"
    )
    confusion = training.confusion()
    assert confusion["classes"] == ("good", "defect")
    assert set(confusion["true"]) == {"good", "defect"}
    assert set(confusion["decided"]) <= {"good", "defect"}


def test_a_detector_fitted_in_one_pass_has_scores_and_no_losses(root: Path, tmp_path: Path) -> None:
    from twinloop.reporting.figures.training import learning_curves

    clone = changed(root, tmp_path)
    (clone / paths.EPOCHS).write_text("epoch,train_loss,val_loss,val_auroc,val_ap,val_iou\n1,,,0.9,0.94,0.2\n")
    write_json(clone / paths.metrics("train"), {"best_epoch": 1})
    shown = Training(clone).curves()
    assert (shown["losses"], shown["scores"]["AP"]) == ({}, [0.94])
    assert learning_curves(**shown).png.startswith(b"\x89PNG")
