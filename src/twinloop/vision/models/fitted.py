"""A model's settings with what the data decide: size and colour of the input, where the settings leave them open."""

import dataclasses
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets.needs import FILE, Input
from twinloop.vision.models.settings import ModelSettings


def fitted(model: ModelSettings, dataset: Path) -> tuple[ModelSettings, Input]:
    """The settings for this prepared dataset, and what its input must show.

    Raises InputError where the dataset does not say, and where its tiles do not divide into the cells of the heat map.
    """
    if not (dataset / FILE).is_file():
        raise InputError(f"data: {dataset / FILE}: expected what the input must show: run the prepare stage again")
    needed = Input.load(dataset)
    size = model.size_px or -(-needed.size_px // model.grid_px) * model.grid_px
    model = dataclasses.replace(model, size_px=size, channels=model.channels or needed.channels)  # type: ignore[arg-type]
    if needed.tile_px and needed.tile_px % (size // model.heat_stride):
        raise InputError(
            f"ModelSettings.size_px = {size}: tiles of {needed.tile_px} px do not divide into the heat map's "
            f"{size // model.heat_stride} cells: set size_px={needed.size_px}, or 0 to have it chosen"
        )
    return model, needed
