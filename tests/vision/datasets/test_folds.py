"""Folds that test every part are asked for where the test split holds a handful of defective parts, and only there."""

from pathlib import Path

import pytest

from twinloop.vision.datasets.folds import FEW, Folds, needed


def split(defective: int, tested: int, good: int = 40) -> tuple[list[str], list[str], list[str]]:
    """Labels, parts and splits; every part is photographed twice."""
    labels = ["good"] * good + ["crack"] * defective
    splits = ["train"] * (good - 10) + ["test"] * 10 + ["test"] * tested + ["train"] * (defective - tested)
    parts = [f"part {number}" for number in range(len(labels))]
    return labels * 2, parts * 2, splits * 2


@pytest.mark.parametrize(
    ("defective", "tested", "asked"), [(0, 0, False), (1, 0, True), (30, FEW - 1, True), (40, FEW, False)]
)
def test_parts_count_not_photographs(defective: int, tested: int, asked: bool) -> None:
    found = needed(*split(defective, tested), val_share=0.15)
    assert (found is not None) == asked
    if found is not None:
        assert (found.defective, found.tested) == (defective, tested)
        assert f"{tested} of them in test" in found.reason


def test_every_part_is_tested_in_exactly_one_fold_and_it_is_kept_beside_the_index(tmp_path: Path) -> None:
    labels, parts, splits = split(10, 3)
    found = needed(labels, parts, splits, val_share=0.15)
    assert found is not None
    drawn = found.splits(labels, parts, seed=0)
    assert len(drawn) == found.count == 5
    for place in range(len(labels)):
        assert [fold[place] for fold in drawn].count("test") == 1
    found.save(tmp_path)
    assert Folds.load(tmp_path) == found
    assert Folds.load(tmp_path / "elsewhere") is None
