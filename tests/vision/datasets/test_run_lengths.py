"""COCO's run lengths, plain and packed, become the very pixels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.vision.datasets.written import coco
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.run_lengths import run_lengths, runs_of
from twinloop.vision.datasets.samples import Refused
from twinloop.vision.datasets.settings import DatasetSettings


def counted(mask: np.ndarray) -> list[int]:
    """Runs down the columns, the first one off."""
    flat = np.concatenate([[False], mask.T.ravel()])
    edges = np.flatnonzero(np.diff(flat)) + 1
    return np.diff([1, *edges, mask.size + 1]).tolist() if len(edges) else [mask.size]


def packed(counts: list[int]) -> str:
    """As cocoapi's rleToString writes them."""
    text = ""
    for place, count in enumerate(counts):
        value = count - (counts[place - 2] if place > 2 else 0)
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            text += chr((bits | 0x20 if more else bits) + 48)
    return text


@settings(derandomize=True, max_examples=60, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_plain_and_packed_runs_give_the_mask_back(mask: np.ndarray) -> None:
    counts = counted(mask)
    for written in (counts, packed(counts)):
        runs = run_lengths({"size": list(mask.shape), "counts": written}, "here")
        np.testing.assert_array_equal(runs.mask(mask.shape[1], mask.shape[0], "here"), mask)
        assert runs.area == mask.sum()


def test_the_packing_is_that_of_cocoapi() -> None:
    # A 4 × 4 mask with its inner 2 × 2 set, packed by hand after rleToString.
    assert run_lengths({"size": [4, 4], "counts": "52203"}, "here").counts == (5, 2, 2, 2, 5)


FAULTY: dict[str, Any] = {
    "no size": {"counts": [1]},
    "a sum too small": {"size": [2, 2], "counts": [1, 2]},
    "negative": {"size": [2, 2], "counts": [5, -1]},
    "another character": {"size": [2, 2], "counts": "\u00e9"},
    "cut off": {"size": [2, 2], "counts": "o"},
}


@pytest.mark.parametrize("written", FAULTY.values(), ids=list(FAULTY))
def test_faulty_runs_are_refused_with_the_place(written: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="^here"):
        run_lengths(written, "here")


def test_an_annotation_with_runs_is_no_filled_box(tmp_path: Path) -> None:
    coco(tmp_path)
    path = tmp_path / "annotations" / "instances_train.json"
    content = json.loads(path.read_text())
    mask = np.zeros((24, 32), bool)
    mask[6:9, 4:20:2] = True
    for mark in content["annotations"]:
        mark["segmentation"] = {"size": [24, 32], "counts": packed(counted(mask))}
    content["annotations"] = [mark for mark in content["annotations"] if mark["image_id"] == 5]
    path.write_text(json.dumps(content))
    found = layouts.read(tmp_path, DatasetSettings(kind="coco"))
    sample = next(s for s in found.samples if s.name == "images/train_5.png")
    np.testing.assert_array_equal(sample.read().mask, mask)


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_the_runs_of_a_mask_give_it_back(mask: np.ndarray) -> None:
    runs = runs_of(mask)
    assert runs.area == mask.sum()
    np.testing.assert_array_equal(runs.mask(mask.shape[1], mask.shape[0], "here"), mask)
