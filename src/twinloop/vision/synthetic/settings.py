"""Settings of rendered surfaces: how many, what grain, which defects, what light and what camera.

A range is (lowest, highest); every part or exposure draws its own value from it, evenly. Brightness
is relative to the surface's own grey unless it says otherwise. Another default gives other pixels.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from twinloop.config import settings

Texture = Literal["brushed", "cast", "ground", "woven"]
DefectKind = Literal["crack", "missing", "pit", "scratch", "stain"]


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"expected a range [lowest, highest], found {value[0]:g} above {value[1]:g}")
    return value


UnitRange = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]], AfterValidator(_ordered)
]
FactorRange = Annotated[
    tuple[Annotated[float, Field(ge=0.05, le=2)], Annotated[float, Field(ge=0.05, le=2)]], AfterValidator(_ordered)
]
PixelRange = Annotated[
    tuple[Annotated[float, Field(ge=0.05, le=8)], Annotated[float, Field(ge=0.05, le=8)]], AfterValidator(_ordered)
]


@settings
class DepthSettings:
    """Change of brightness at contrast 1, (weakest, strongest) for each kind of defect; weak ones are more frequent."""

    crack: UnitRange = (0.14, 0.38)
    missing: UnitRange = (0.18, 0.44)
    pit: UnitRange = (0.20, 0.45)
    scratch: UnitRange = (0.22, 0.46)
    stain: UnitRange = (0.20, 0.40)


@settings
class MarkSettings:
    """Harmless marks on sound and defective parts alike.

    dust: mean number of specks on a part; dust_px: their spread; dust_strength: their change of brightness.
    line_share: of the parts that carry a tool line along the grain; line_strength: its largest change of brightness.
    shading: standard deviation of broad clouds.
    """

    dust: Annotated[float, Field(ge=0, le=100)] = 3.0
    dust_px: PixelRange = (0.35, 0.75)
    dust_strength: UnitRange = (0.06, 0.22)
    line_share: Annotated[float, Field(ge=0, le=1)] = 0.45
    line_strength: Annotated[float, Field(ge=0, le=1)] = 0.09
    shading: Annotated[float, Field(ge=0, le=1)] = 0.03


@settings
class LightSettings:
    """Illumination of one exposure.

    grey: level of the surface, 0 black to 1 white; gain: factor of the exposure time. gradient: rise from the middle to
    one side; vignette: fall from the middle to the corners.
    """

    grey: UnitRange = (0.42, 0.56)
    gain: FactorRange = (0.88, 1.14)
    gradient: UnitRange = (0.0, 0.22)
    vignette: UnitRange = (0.0, 0.12)


@settings
class CameraSettings:
    """The camera of one exposure: blur (standard deviation in pixels), noise (of full scale), shift of the part (pixels
    up to which it lies beside its nominal place).
    """

    focus_px: PixelRange = (0.25, 0.55)
    noise: UnitRange = (0.008, 0.018)
    shift_px: Annotated[int, Field(ge=0, le=32)] = 3


@settings
class SurfaceSettings:
    """Rendered surfaces: `parts` × `exposures` images of `size_px` × `size_px`, `defect_share` of the parts defective.

    grain multiplies the texture, contrast the strength of every defect, scale its size (1: a crack spans about half an
    image). Above 512 px the grain repeats mirrored every 512 px and a defect keeps the size it has at 512 px.
    """

    parts: Annotated[int, Field(ge=1, le=100_000)] = 800
    exposures: Annotated[int, Field(ge=1, le=16)] = 2
    size_px: Annotated[int, Field(ge=32, le=8192)] = 96
    defect_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    textures: Annotated[tuple[Texture, ...], Field(min_length=1)] = ("brushed", "cast", "ground", "woven")
    kinds: Annotated[tuple[DefectKind, ...], Field(min_length=1)] = ("crack", "missing", "pit", "scratch", "stain")
    grain: Annotated[float, Field(gt=0, le=4)] = 1.0
    contrast: Annotated[float, Field(gt=0, le=4)] = 1.0
    scale: FactorRange = (1.0, 1.0)
    depth: DepthSettings = DepthSettings()
    marks: MarkSettings = MarkSettings()
    light: LightSettings = LightSettings()
    camera: CameraSettings = CameraSettings()

    def __post_init__(self) -> None:
        for name, values in (("textures", self.textures), ("kinds", self.kinds)):
            if len(set(values)) < len(values):
                raise ValueError(f"expected every one of {name} once")
