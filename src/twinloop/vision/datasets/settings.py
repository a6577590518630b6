"""Settings of the prepare stage: which surfaces, how they are split, and what is refused.

Free of torch and of image libraries, so that composing a configuration stays quick.
"""

import re
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.vision.synthetic.settings import DefectKind, SurfaceSettings, Texture

__all__ = ["ArchiveSettings", "DatasetSettings", "DefectKind", "MaskValues", "SurfaceSettings", "Texture"]

Kind = Literal[
    "synthetic",
    "auto",
    "magnetic_tile",
    "visa",
    "dagm",
    "kolektor_sdd",
    "kolektor_sdd2",
    "deep_pcb",
    "coco",
    "voc",
    "yolo",
    "labelme",
    "table",
    "segmentation",
    "mvtec",
    "folder",
]
MaskValues = Literal["auto", "white", "black", "numbered"]


@settings
class ArchiveSettings:
    """Limits for a zip or tar of images; beyond them the archive is refused before anything is kept.

    `max_ratio` bounds unpacked over packed bytes of the whole archive (images hardly compress).
    """

    max_files: Annotated[int, Field(ge=1)] = 200_000
    max_bytes: Annotated[int, Field(ge=1)] = 20_000_000_000
    max_ratio: Annotated[float, Field(ge=1)] = 100.0


@settings
class DatasetSettings:
    """What prepare reads and how it divides it.

    kind: a layout of `datasets.layouts`, or `auto` to have it recognised. source: for `synthetic` the generator's own
    file, else a folder, a zip or a tar, relative to the repository or absolute. category: one of the several objects or
    textures that MVTec AD, VisA and DAGM hold ("": all of them).

    division: `made` draws validation and test by part; `given` keeps the train and test sets that came with the data
    and draws validation out of them. folds: 0 for one division, else that many, of which `fold` (from 0) is the test
    set and validation is drawn from the rest; -1 for one division beside which, where its test set holds too few
    defects to measure by, every part is tested in folds. Shares are of the parts of every class.

    good: the folders or labels that mean "no defect" ([]: known by their names). mask_values: what marks a defect in a
    mask: the upper of two values (`white`), the lower (`black`), every number above 0 (`numbered`); `auto` is white or
    numbers, and asks where most masks mark most of their image. unmarked: what images are that have no annotation where
    other images have one: `asked` stops, unless others are annotated as empty. label_column: the column of a table that
    holds the class ("": known by its name). defect_from: a table's probability from which a part is defective.

    part: a regular expression whose first group, found in a file's name without ending, names the part it shows.
    depth_bits: how many bits the values of 16-bit files fill (0: found out from the whole set).

    tile_px: side of the tiles that larger images are cut into (a multiple of 32; 0: none; -1: where the data need it:
    images longer than 2:1, or with defects that no input of a bearable size would show). A tile shows a defect where
    its mask does; of a defective image without one, the tile that is least like good ones is taken to show it.

    `limit_parts` keeps that many parts, drawn over all classes (0: all). A file of more than `max_bytes` or an image of
    more than `max_pixels` goes to the quarantine list; a quarantined share above `quarantine_share` stops the stage.
    """

    kind: Kind = "synthetic"
    source: Annotated[str, Field(min_length=1)] = "src/twinloop/vision/synthetic/surfaces.py"
    category: str = ""
    good: tuple[str, ...] = ()
    mask_values: MaskValues = "auto"
    unmarked: Literal["asked", "good", "left_out"] = "asked"
    label_column: str = ""
    defect_from: Annotated[float, Field(gt=0, le=1)] = 0.5
    part: str = ""
    depth_bits: Annotated[int, Field(ge=0, le=16)] = 0
    tile_px: Annotated[int, Field(ge=-1, le=4096)] = 0
    limit_parts: Annotated[int, Field(ge=0)] = 0
    division: Literal["made", "given"] = "made"
    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    folds: Annotated[int, Field(ge=-1, le=100)] = 0
    fold: Annotated[int, Field(ge=0)] = 0
    quarantine_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    max_pixels: Annotated[int, Field(ge=1024)] = 50_000_000
    max_bytes: Annotated[int, Field(ge=1024)] = 100_000_000
    archive: ArchiveSettings = ArchiveSettings()
    surfaces: SurfaceSettings = SurfaceSettings()

    def __post_init__(self) -> None:
        if self.val_share + self.test_share >= 1:
            raise ValueError("expected val_share + test_share below 1, so that parts remain to train on")
        try:
            groups = re.compile(self.part).groups
        except re.error as error:
            raise ValueError(f"expected part to be a regular expression, found {self.part!r}: {error}") from None
        if self.part and groups != 1:
            raise ValueError(f"expected part with one group in brackets, such as ^(.+)_cam, found {groups}")
        if self.tile_px > 0 and self.tile_px % 32:
            raise ValueError(f"expected tile_px 0 (none), -1 (as needed) or a multiple of 32, found {self.tile_px}")
        if self.folds == 1:
            raise ValueError("expected folds 0 (one division), -1 (as needed) or at least 2, found 1")
        if self.fold > max(self.folds - 1, 0):
            raise ValueError(f"expected fold from 0 to {max(self.folds - 1, 0)}, found {self.fold}")
        if self.folds > 0 and self.division == "given":
            raise ValueError("expected division made where folds are asked for, found given")
        if self.folds > 0 and self.val_share >= 1 - 1 / self.folds:
            raise ValueError(f"expected val_share below {1 - 1 / self.folds:g}, so that parts remain to train on")
