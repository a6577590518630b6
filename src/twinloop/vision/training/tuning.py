"""Searched values put into the settings of a detector and of its training, and the check of a space before a search."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from twinloop.learning.settings import FitSettings, require_valid_space, varied
from twinloop.vision.models.settings import NOT_SEARCHED, ModelSettings
from twinloop.vision.training.settings import TrainSettings

# How it is fitted decides what a trial costs, not what it is.
FITTED = tuple(field.name for field in dataclasses.fields(FitSettings))


def tuned(
    model: ModelSettings, train: TrainSettings, *, values: Mapping[str, Any]
) -> tuple[ModelSettings, TrainSettings]:
    """The settings with `values` (dotted names: `model.width`, `train.learning_rate`) put in; they are checked again.

    Raises ValueError for a name that is no field of the two or a value that they refuse.
    """
    changes: dict[str, dict[str, Any]] = {"model": {}, "train": {}}
    for name, value in values.items():
        section, _, field = name.partition(".")
        if section not in changes:
            raise ValueError(f"nothing of that name can be searched: {name}; expected model.… or train.…")
        changes[section][field] = value
    return varied(model, changes["model"], fixed=NOT_SEARCHED), varied(train, changes["train"], fixed=FITTED)


def check_space(model: ModelSettings, train: TrainSettings) -> None:
    """Raise ValueError unless `train` takes what the model's space varies of it; the model checks its own part."""
    require_valid_space(train, model.space.train, name="model.space.train", fixed=FITTED)
