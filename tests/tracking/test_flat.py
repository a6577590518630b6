"""Names and texts as MLflow's columns take them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import RunError
from twinloop.tracking import flat

KEYS = st.text("az.é (/€\n", min_size=1, max_size=8)
TEXTS = st.builds(str.__mul__, st.text("x€ ", max_size=4), st.integers(0, 400))
SECTIONS = st.recursive(
    st.integers() | TEXTS | st.none(), lambda inner: st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


def test_nested_settings_become_dotted_names() -> None:
    section = {"train": {"epochs": 3, "loss": {"dice": 1.0}}, "space": {}, "depths": (1, 2), "weights": None}
    assert flat.params(section) == {
        "train.epochs": "3",
        "train.loss.dice": "1.0",
        "space": "{}",
        "depths": "[1, 2]",
        "weights": "null",
    }


def test_no_settings_are_no_parameters() -> None:
    assert flat.params({}) == {}


@given(st.dictionaries(KEYS, SECTIONS, max_size=5))
def test_every_name_and_text_is_one_that_mlflow_takes(section: dict[str, object]) -> None:
    for key, value in flat.params(section).items():
        assert re.fullmatch(r"[/\w.\- :]*", key)
        assert len(value) <= flat.LONGEST


def test_long_texts_that_differ_late_stay_different() -> None:
    one, other = flat.params({"a": "x" * 900 + "1", "b": "x" * 900 + "2"}).values()
    assert one != other


def test_numbers_and_texts_of_a_metrics_file_part() -> None:
    values = {"ap": 0.9, "count": 3, "resumed": False, "device": "cpu", "engine_ms": None}
    assert flat.numbers(values) == {"ap": 0.9, "count": 3.0, "resumed": 0.0}
    assert flat.texts(values) == {"device": "cpu"}


@pytest.mark.parametrize("content", ["", "[1]", '{"ap": {"cast": 0.9}}', '{"ap": '])
def test_a_metrics_file_of_another_shape_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(content)
    with pytest.raises(RunError, match=r"train\.json"):
        flat.stage_metrics(tmp_path / "train.json")
