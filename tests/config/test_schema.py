"""Settings: what a wrong value is answered with."""

import math
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from twinloop.config import Invalid, parse, settings


@settings
class Train:
    epochs: Annotated[int, Field(ge=1)] = 3
    rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    loss: Literal["focal", "dice"] = "focal"
    sizes: tuple[int, ...] = ()


@settings
class Twin:
    train: Train


@pytest.mark.parametrize(
    ("value", "where", "expected"),
    [
        ({"train": {"epochs": 0}}, "train.epochs", "expected an integer ≥ 1"),
        ({"train": {"epochs": 1.5}}, "train.epochs", "expected an integer"),
        ({"train": {"epochs": "3"}}, "train.epochs", "expected an integer"),
        ({"train": {"epochs": True}}, "train.epochs", "expected an integer"),
        ({"train": {"rate": 0}}, "train.rate", "expected a number > 0"),
        ({"train": {"rate": 1.5}}, "train.rate", "expected a number ≤ 1"),
        ({"train": {"rate": math.nan}}, "train.rate", "expected a finite number"),
        ({"train": {"rate": math.inf}}, "train.rate", "expected a finite number"),
        ({"train": {"rate": None}}, "train.rate", "expected a number"),
        ({"train": {"epoch": 3}}, "train.epoch", "unknown key; did you mean 'epochs'?"),
        ({"train": {"loss": "focale"}}, "train.loss", "expected one of 'focal' or 'dice'; did you mean 'focal'?"),
        ({"train": {"sizes": [1, "two"]}}, "train.sizes.1", "expected an integer"),
        ({"train": {"_target_": "os.system"}}, "train._target_", "unknown key; known: epochs, rate, loss, sizes"),
        ({"train": {"Epochs-max": 3}}, "train.Epochs-max", "unknown key; did you mean 'epochs'?"),
        ({"train": {"epochs": 10**19}}, "train.epochs", "expected an integer of at most 18 digits"),
        ({}, "train", "missing; give it a value"),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_the_expectation(value: Any, where: str, expected: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(Twin, value)
    fault = caught.value.faults[0]
    assert (fault.dotted, fault.expected) == (where, expected)


def test_every_fault_is_reported_not_only_the_first() -> None:
    with pytest.raises(Invalid) as caught:
        parse(Twin, {"train": {"epochs": 0, "rate": 2.0}})
    assert {fault.dotted for fault in caught.value.faults} == {"train.epochs", "train.rate"}


@given(st.integers(1, 10**6), st.floats(1e-6, 1), st.lists(st.integers(-5, 5)))
def test_a_right_value_comes_out_as_it_went_in(epochs: int, rate: float, sizes: list[int]) -> None:
    twin = parse(Twin, {"train": {"epochs": epochs, "rate": rate, "sizes": sizes}})
    assert twin.train == Train(epochs=epochs, rate=rate, sizes=tuple(sizes))


def test_settings_check_themselves_when_built_by_hand_and_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="^Train.epochs = 0: expected an integer ≥ 1$"):
        Train(epochs=0)
    with pytest.raises(AttributeError):
        Train().epochs = 5  # type: ignore[misc]
