"""One finding for an image far larger than the model's input, in bounded memory.

The image is cut into overlapping tiles, each judged at the model's size; their heat maps are stitched into one, whose
hot regions become boxes across all seams. Its score is the highest of its tiles' scores: one defect anywhere rejects
the part. More tiles give more chances for a false alarm, so thresholds for such images must be chosen on such images.
Its unlike score is the median of its tiles: what spoils a picture spoils most of it.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from twinloop.errors import InputError
from twinloop.vision.datasets.samples import Refused, printable
from twinloop.vision.inference.backends import Floats
from twinloop.vision.inference.boxes import Box, Regions, suppress
from twinloop.vision.inference.pictures import ArrayRows, Pixels, Rows, opened_rows
from twinloop.vision.inference.predict import DeployedDetector, Prediction
from twinloop.vision.inference.tiling import Reduced, new_grid, stitch
from twinloop.vision.scores import anomaly_score, probability

BATCH = 32
HEAT_LIMIT = 1024
SAME_PLACE = 0.5
MOST_BOXES = 1000


def predict_large(
    detector: DeployedDetector,
    image: Pixels | str | Path | Rows,
    *,
    tile_px: int | None = None,
    overlap: float = 0.25,
    heat_limit: int = HEAT_LIMIT,
) -> Prediction:
    """Judge an image of any size tile by tile: an array as for `predict`, a file, or what gives its rows.

    tile_px: side of a tile in the image's pixels, scaled to the model's input; by default that input's side. It should
    show what a training image showed, and be a multiple of the heat map's side. overlap: least share of a tile that its
    neighbour sees too. heat: at most `heat_limit` cells a side, each the hottest of a block. Boxes that overlap by half
    are one, the hotter; of more than 1000 regions the hottest are kept. Raises InputError for what is no image.
    """
    if isinstance(image, str | Path):
        try:
            with opened_rows(Path(image)) as rows:
                return predict_large(detector, rows, tile_px=tile_px, overlap=overlap, heat_limit=heat_limit)
        except Refused as refused:
            raise InputError(f"image: {printable(str(image))}: {refused}") from None
    start = time.perf_counter()
    rows = ArrayRows(image) if isinstance(image, np.ndarray) else image
    side = detector.image_size if tile_px is None else tile_px
    return _Large(detector, rows, side, overlap, heat_limit).prediction(start)


class _Large:
    """One image on its way through the detector."""

    def __init__(self, detector: DeployedDetector, image: Rows, tile_px: int, overlap: float, heat_limit: int) -> None:
        self.detector, self.image, self.tile_px = detector, image, tile_px
        # What the heat map's size is, only the model knows.
        side = detector.image_size
        self.heat_size = detector.backend(np.zeros((1, detector.channels, side, side), np.float32)).heat.shape[-1]
        if tile_px < self.heat_size or tile_px % self.heat_size:
            raise InputError(
                f"tiles: tile_px = {tile_px}: expected a multiple of {self.heat_size}, the heat map's side"
            )
        if heat_limit < 1:
            raise InputError(f"tiles: heat_limit = {heat_limit}: expected at least one cell")
        self.cell = tile_px // self.heat_size
        # Cells that show any pixel of the image; beyond its edge, tiles see it mirrored.
        self.cells = (-(-image.shape[0] // self.cell), -(-image.shape[1] // self.cell))
        self.grid = new_grid(self.cells, (self.heat_size, self.heat_size), overlap=overlap)
        self.heat = Reduced(self.cells, limit=heat_limit)
        self.regions = Regions(detector.heat_threshold)
        self.logits: list[Floats] = []
        self.unlike: list[Floats] = []

    def prediction(self, start: float) -> Prediction:
        row = 0
        for band in stitch(self.grid, self._rows_of_heat()):
            inside = band[: max(self.cells[0] - row, 0), : self.cells[1]]
            row += len(band)
            if len(inside):
                self.heat.add(inside)
                self.regions.add(inside)
        logits = np.concatenate(self.logits)
        unlike = np.median(np.concatenate(self.unlike), keepdims=True)
        (verdict,) = self.detector.judge(logits[[int(anomaly_score(logits).argmax())]], unlike)
        return Prediction(
            **vars(verdict),
            boxes=self._boxes(),
            heat=self.heat.map,
            size=self.image.shape,
            inference_ms=(time.perf_counter() - start) * 1e3,
        )

    def _rows_of_heat(self) -> Iterator[Floats]:
        for first in self.grid.rows:
            band = self._band(first * self.cell)
            heats = []
            for at in range(0, len(self.grid.columns), BATCH):
                lefts = [column * self.cell for column in self.grid.columns[at : at + BATCH]]
                raw = self.detector.backend(
                    self.detector.batch_of([band[:, left : left + self.tile_px] for left in lefts])
                )
                self.logits.append(raw.logits)
                self.unlike.append(raw.unlike)
                heats.append(probability(raw.heat[:, 0]))
            yield np.concatenate(heats)

    def _band(self, top: int) -> Pixels:
        """[tile_px, width of the grid, …] of the image, mirrored where it ends."""
        height, width = self.image.shape
        band = self.image.rows(top, min(top + self.tile_px, height))
        missing = (self.tile_px - len(band), self.grid.size[1] * self.cell - width)
        if any(missing):
            band = np.pad(band, [(0, missing[0]), (0, missing[1]), (0, 0)][: band.ndim], mode="symmetric")
        return band

    def _boxes(self) -> tuple[Box, ...]:
        height, width = self.image.shape
        cells, _ = self.regions.merged()
        boxes = []
        for top, left, bottom, right in (suppress(cells[:MOST_BOXES], overlap=SAME_PLACE) * self.cell).tolist():
            boxes.append((left, top, min(right, width) - left, min(bottom, height) - top))
        return tuple(boxes)
