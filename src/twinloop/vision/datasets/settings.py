"""Settings of the prepare stage: which surfaces, how they are split, and what is refused.

Free of torch and of image libraries, so that composing a configuration stays quick.
"""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings

Texture = Literal["brushed", "cast", "ground", "woven"]
DefectKind = Literal["crack", "missing", "pit", "scratch", "stain"]


@settings
class SurfaceSettings:
    """Rendered surfaces: `parts` × `exposures` images of `size_px` × `size_px`, `defect_share` of the parts defective.

    `contrast` multiplies the strength of every defect; below 1 the task is harder.
    """

    parts: Annotated[int, Field(ge=1, le=100_000)] = 800
    exposures: Annotated[int, Field(ge=1, le=16)] = 2
    size_px: Annotated[int, Field(ge=32, le=512)] = 96
    defect_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    contrast: Annotated[float, Field(gt=0, le=4)] = 1.0
    textures: Annotated[tuple[Texture, ...], Field(min_length=1)] = ("brushed", "cast", "ground", "woven")
    kinds: Annotated[tuple[DefectKind, ...], Field(min_length=1)] = ("crack", "missing", "pit", "scratch", "stain")

    def __post_init__(self) -> None:
        for name, values in (("textures", self.textures), ("kinds", self.kinds)):
            if len(set(values)) < len(values):
                raise ValueError(f"expected every one of {name} once")


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

    source: for `synthetic` the generator's own file, else a folder (or, for `folder`, a zip or tar), relative to the
    repository or absolute. `limit_parts` keeps that many parts, drawn over all classes (0: all). A file of more than
    `max_bytes` or an image of more than `max_pixels` goes to the quarantine list; a quarantined share above
    `quarantine_share` stops the stage.
    """

    kind: Literal["synthetic", "magnetic_tile", "folder"] = "synthetic"
    source: Annotated[str, Field(min_length=1)] = "src/twinloop/vision/synthetic/surfaces.py"
    limit_parts: Annotated[int, Field(ge=0)] = 0
    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    quarantine_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    max_pixels: Annotated[int, Field(ge=1024)] = 50_000_000
    max_bytes: Annotated[int, Field(ge=1024)] = 100_000_000
    archive: ArchiveSettings = ArchiveSettings()
    surfaces: SurfaceSettings = SurfaceSettings()

    def __post_init__(self) -> None:
        if self.val_share + self.test_share >= 1:
            raise ValueError("expected val_share + test_share below 1, so that parts remain to train on")
