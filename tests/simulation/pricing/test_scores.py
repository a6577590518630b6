from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from tests.simulation.pricing import written
from twinloop.errors import InputError
from twinloop.simulation.pricing.scores import Scores, read_scores


def test_a_table_from_scikit_learn_is_read(tmp_path: Path) -> None:
    path = written.scikit_learn(tmp_path / "predictions.csv")
    scores = read_scores(path)
    table = pl.read_csv(path)
    assert scores.are_probabilities
    assert scores.values == pytest.approx(logit(table["y_proba"].to_numpy()))
    assert scores.defective.tolist() == (table["y_true"] == 1).to_list()
    assert "class '0' was taken for good" in scores.notes
    assert "no column names the part: every row was taken for a part of its own" in scores.notes


def test_predictions_of_anomalib_are_scores_and_no_probabilities(tmp_path: Path) -> None:
    scores = read_scores(written.anomalib(tmp_path / "predictions.csv"))
    assert not scores.are_probabilities
    assert scores.summary == "100 looks at 60 good and 40 defective parts"
    assert set(scores.labels) == {"good", "true"}


def test_a_vendors_export_is_read_with_its_commas_capitals_units_and_second_looks(tmp_path: Path) -> None:
    scores = read_scores(written.vendor(tmp_path / "export.csv"))
    truth, odds = written.drawn(seed=3)
    assert set(scores.labels) == {"good", "Riß", "Lunker"}
    assert scores.values[:100] == pytest.approx(odds, abs=1e-4)
    assert len(scores.values) == 100 + 34
    assert scores.groups[100:].tolist() == list(range(0, 100, 3))
    assert scores.latency_ms == pytest.approx(25.0)
    assert (scores.labels[:100] == "good").tolist() == (truth == "good").tolist()


def test_a_workbook_says_the_same_as_the_csv(tmp_path: Path) -> None:
    import openpyxl

    path = written.plain(tmp_path / "scores.csv")
    book = openpyxl.Workbook()
    for row in [pl.read_csv(path).columns, *pl.read_csv(path).rows()]:
        book.active.append(row)
    book.save(tmp_path / "scores.xlsx")
    one, two = read_scores(path), read_scores(tmp_path / "scores.xlsx")
    assert two.values == pytest.approx(one.values)
    assert two.labels.tolist() == one.labels.tolist()
    assert two.groups.tolist() == one.groups.tolist()


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_separators_and_decimal_signs_are_known_by_themselves(tmp_path: Path, sign: str, decimal: str) -> None:
    number = f'"0{decimal}25"' if sign == decimal else f"0{decimal}25"
    path = tmp_path / "scores.csv"
    path.write_text(f"\ufeffPART{sign}Class{sign}Score\na{sign}ok{sign}{number}\n\nb{sign}dent{sign}3\n")
    assert read_scores(path).values.tolist() == [0.25, 3.0]


def test_looks_at_one_part_belong_together_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("part,image,class,score\na,1,good,0.1\na,2,good,0.2\nb,3,bad,0.9\n")
    scores = read_scores(path)
    assert scores.groups[0] == scores.groups[1] != scores.groups[2]
    assert "1 row repeat a part: its looks count as one part" in scores.notes
    assert scores.summary == "3 looks at 1 good and 1 defective parts"


def test_certain_probabilities_keep_finite_odds(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("class,probability\ngood,0\nbad,1\n")
    scores = read_scores(path)
    assert np.isfinite(scores.values).all()
    assert scores.as_given(scores.values[1]) == pytest.approx(1.0)
    assert scores.as_value(0.25) == pytest.approx(logit(0.25))


@pytest.mark.parametrize(
    ("header", "milliseconds"), [("latency_ms", 40), ("latency_s", 40_000), ("Latency (s)", 40_000), ("latency", 40)]
)
def test_the_unit_of_latency_is_in_its_name(tmp_path: Path, header: str, milliseconds: float) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(f"class,score,{header}\ngood,0.1,30\nbad,0.9,50\nbad,0.8,\n")
    scores = read_scores(path)
    assert scores.latency_ms == pytest.approx(milliseconds)
    assert ("latency was taken for milliseconds" in scores.notes) == (header == "latency")


def test_what_could_mean_two_things_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("label,class,value,score\nok,1,0.1,9\nnok,0,0.9,9\n")
    scores = read_scores(path, columns={"truth": "label", "score": "value"}, good="ok")
    assert scores.values.tolist() == [0.1, 0.9]
    assert scores.labels.tolist() == ["good", "nok"]


def test_a_million_rows_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    count = 1_000_000
    classes = np.array(["good", "crack"])[(rng.random(count) < 0.02).astype(int)]
    frame = {"part": np.arange(count), "class": classes, "score": rng.normal(size=count)}
    pl.DataFrame(frame).write_csv(tmp_path / "scores.csv")
    scores = read_scores(tmp_path / "scores.csv")
    assert len(scores.values) == count
    assert len(np.unique(scores.groups)) == count


REFUSED = {
    "": "an empty file: expected a table with a header",
    "class,score\n": "no row below the header",
    "class,score\ngood,0.1\nbad,NaN\n": "row 2: score = 'NaN': expected a finite number",
    "class,score\ngood,0.1\nbad,inf\n": "row 2: score = 'inf': expected a finite number",
    "class,score\ngood,0.1\nbad,\n": "row 2: score = '': expected a finite number",
    "class,score\ngood,0.1\nbad,high\n": "row 2: score = 'high': expected a finite number",
    "class,probability\ngood,0.1\nbad,1.2\n": "row 2: probability 1.2: expected 0 to 1, per cent where the heading",
    "class,probability [%]\ngood,0.1\nbad,0.9\n": "'probability [%]' says per cent, no value is above 1: call it",
    "class,probability\ngood,-0.1\nbad,1\n": "row 1: probability -0.1: expected 0 to 1",
    "class,score\ngood,0.1\ngood,0.2\n": "expected good and defective parts, no row is defective",
    "class,score\nbad,0.1\nok2,0.2\n": "the true classes are bad, ok2: none of them means good: say --good NAME",
    "class,score\nok,0.1\npass,0.2\n": "ok and pass may all mean good: say --good NAME",
    "class,score\ngood,0.1\n,0.2\n": "row 2: the true class is '': judge the part, or leave the row out",
    "class,score\ngood,0.1\nUnknown,0.2\n": "row 2: the true class is 'Unknown': judge the part",
    "score\n0.1\n": "no column for the true class: expected one called true_class, true_label, truth or the like",
    "class,points\ngood,1\n": "no column for the score or probability: expected one called score, scores",
    "class,label,score\ngood,x,1\n": "'class' and 'label' may both be the truth: say --column truth=NAME",
    "part,class,score\na,good,1\n,bad,2\n": "row 2: no part is named",
    "class,score,latency_ms\ngood,0.1,-3\nbad,1,2\n": "row 1: latency -3: expected a time ≥ 0",
    "class,score,split\ngood,0.1,train\nbad,1,test\n": "row 1: split 'train': expected val or test",
    "class,score\ngood,0,93\n": "expected a table with a header and as many cells in each row",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_scores(path)
    said = str(caught.value)
    assert REFUSED[text] in said
    assert "scores.csv" in said
    assert len(said) <= 300


@pytest.mark.parametrize(
    ("columns", "good", "reason"),
    [
        ({"truth": "clas"}, None, "--column truth=clas: did you mean 'class'?"),
        ({"truht": "class"}, None, "--column truht: did you mean 'truth'?"),
        ({}, "fine", "--good fine: no such class: known: bad, good"),
    ],
)
def test_what_is_named_and_not_there_is_refused(
    tmp_path: Path, columns: dict[str, str], good: str | None, reason: str
) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("class,score\ngood,0.1\nbad,0.9\n")
    with pytest.raises(InputError, match="price: ") as caught:
        read_scores(path, columns=columns, good=good)
    assert reason in str(caught.value)


def test_a_file_that_is_not_there_and_a_broken_workbook_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        read_scores(tmp_path / "none.csv")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04broken")
    with pytest.raises(InputError, match="a workbook that cannot be read"):
        read_scores(tmp_path / "broken.xlsx")


@pytest.mark.parametrize("header", ["latency_us", "Latency [µs]", "inference_time_us", "Laufzeit (us)"])
def test_microseconds_are_not_milliseconds(tmp_path: Path, header: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(f"class,score,{header}\ngood,0.1,1200\nbad,1,1200\n", encoding="utf-8")
    assert read_scores(path).latency_ms == pytest.approx(1.2)


def test_a_unit_of_latency_that_is_not_known_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("class,score,latency [ticks]\ngood,0.1,12\nbad,1,12\n")
    with pytest.raises(InputError, match=r"'latency \[ticks\]': unit 'ticks': expected one of s, .*: rename it"):
        read_scores(path)


def test_an_image_that_is_good_and_defective_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("image,class,score\na,good,0.1\nb,bad,0.2\na,bad,0.9\n")
    with pytest.raises(InputError, match=r"row 1: image 'a' is good in one row and defective in another"):
        read_scores(path)


def test_a_german_export_with_floats_for_classes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("Bildname;Sollklasse;Wahrscheinlichkeit\na;0.0;0,25\nb;1.0;0,75\n")
    scores = read_scores(path)
    assert scores.values == pytest.approx(logit([0.25, 0.75]))
    assert scores.defective.tolist() == [False, True]


def test_scores_that_are_all_the_same_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("class,score\ngood,0.5\nbad,0.5\n")
    with pytest.raises(InputError, match=r"score is 0\.5 in every row, .*: say --column score=NAME"):
        read_scores(path)


def read(folder: Path, text: str) -> Scores:
    (folder / "scores.csv").write_text(text)
    return read_scores(folder / "scores.csv")


@pytest.mark.parametrize("heading", ["probability [%]", "probability_pct", "Wahrscheinlichkeit (%)", "p_defect %"])
def test_per_cent_are_read_where_the_heading_says_so(tmp_path: Path, heading: str) -> None:
    scores = read(tmp_path, f"truth;{heading};part\ngood;2,5;a\nscratch;90;b\ngood;100;c\n")
    np.testing.assert_allclose([scores.as_given(value) for value in scores.values], [0.025, 0.9, 1.0], atol=1e-6)
    assert f"column {heading!r} was taken for per cent" in scores.notes


def test_per_cent_without_a_word_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2: probability 90: expected 0 to 1, per cent where the heading says so"):
        read(tmp_path, "truth,probability\ngood,0.2\nscratch,90\n")


@pytest.mark.parametrize("missing", ["-", "–", "n/a", "NaN", " "])
def test_a_second_look_that_was_not_taken_is_known_by_its_dash(tmp_path: Path, missing: str) -> None:
    scores = read(tmp_path, f"truth,score,second_look,part\ngood,0.1,{missing},a\nscratch,0.9,0.7,b\n")
    assert scores.values.tolist() == [0.1, 0.9, 0.7]
