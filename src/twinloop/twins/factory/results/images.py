"""The prepared images, for the page on data."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from twinloop.numbers import count, percent
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs
from twinloop.vision.index import CARD_FILE, GOOD, QUARANTINE_FILE, SPLITS, class_names, read_index, resize_mask

SHOWN_SIZE = 128
# Enough to see a distribution; thousands of masks would only take time.
MASKS_READ = 200
QUARANTINE_SHOWN = 20


class Images(FactoryOutputs):
    """What the prepare stage left."""

    @cached_property
    def index(self) -> pl.DataFrame:
        """One row per image (see vision.index)."""
        return read_index(self.path(paths.DATASET))

    def summary(self) -> Table:
        """How much there is, and of what."""
        found = self.metrics("prepare")
        rows = [
            *([("warning", found["warning"])] if "warning" in found else []),
            *([("few defects", found["few_defects"])] if "few_defects" in found else []),
            ("data", found["data"]),
            ("images", count(found["images"])),
            ("independent parts", count(found["parts"])),
            ("defective images", percent(found["defective_share"])),
            ("defect classes", ", ".join(class_names(self.index)[1:])),
            ("images with a pixel mask", count(found["with_mask"])),
            ("quarantined files", count(found["quarantined"])),
        ]
        return Table.of(("", "this data set"), rows)

    def splits(self) -> Table:
        """Images and parts of each split, and how many parts it shares with another: none, or the stage had failed."""
        groups = {name: set(self.index.filter(pl.col("split") == name)["group"]) for name in SPLITS}
        rows = []
        for name in SPLITS:
            chosen = self.index.filter(pl.col("split") == name)
            others = set().union(*(found for other, found in groups.items() if other != name))
            rows.append(
                (
                    name,
                    len(chosen),
                    len(groups[name]),
                    percent((chosen["label"] != GOOD).mean()),  # type: ignore[arg-type]
                    len(groups[name] & others),
                )
            )
        return Table.of(("split", "images", "parts", "defective", "parts also elsewhere"), rows, numeric=(1, 2, 3, 4))

    def samples(self, *, per_class: int = 4) -> dict[str, Any]:
        """Arguments of `figures.data.contact_sheet`: the first parts of every class, at one size."""
        chosen = pl.concat(
            self.index.filter(pl.col("label") == name)
            .sort("image")
            .unique("group", maintain_order=True)
            .head(per_class)
            for name in class_names(self.index)
        )
        images, masks = [], []
        for row in chosen.iter_rows(named=True):
            with Image.open(self.path(paths.DATASET / row["image"])) as picture:
                images.append(np.asarray(picture.convert("RGB").resize((SHOWN_SIZE, SHOWN_SIZE), Image.Resampling.BOX)))
            masks.append(resize_mask(self._mask(row["mask"]), SHOWN_SIZE))
        return {"images": np.stack(images), "masks": np.stack(masks), "titles": chosen["label"].to_list()}

    def defect_shares(self) -> dict[str, NDArray[np.float64]]:
        """Share of the image that is marked, per defect class, over up to 200 masks each."""
        masked = self.index.filter(pl.col("mask").is_not_null())
        return {
            name: np.array([self._mask(mask).mean() for mask in rows["mask"].head(MASKS_READ)])
            for name in class_names(self.index)[1:]
            if len(rows := masked.filter(pl.col("label") == name))
        }

    def quarantine(self) -> Table:
        """Files that were left out, with the reason."""
        found = self.table(paths.DATASET / QUARANTINE_FILE)
        rows = found.head(QUARANTINE_SHOWN).rows()
        left = len(found) - len(rows)
        caption = f"The first {QUARANTINE_SHOWN}; {left} more in {QUARANTINE_FILE}" if left else ""
        return Table.of(("file", "reason"), rows or [("none", "every file could be used")], caption=caption)

    def card(self) -> str:
        """The data card, Markdown."""
        return self.text(paths.DATASET / CARD_FILE)

    def _mask(self, relative: str | None) -> NDArray[np.bool_]:
        if relative is None:
            return np.zeros((1, 1), dtype=bool)
        with Image.open(self.path(paths.DATASET / relative)) as picture:
            return np.asarray(picture) > 0
