"""How many bits the grey values of deep files fill: cameras of 10, 12 or 14 bits write them into files of 16.

Told by the highest value of the whole set, not of one file, so that dark images stay dark.
"""

from collections.abc import Sequence

from twinloop.vision.datasets.reading import highest_value, pixel_limit
from twinloop.vision.datasets.samples import Sample
from twinloop.vision.datasets.settings import DatasetSettings

CAMERAS = (8, 10, 12, 14, 16)
# Files looked at, drawn evenly; a value beyond what they told is refused when it is read.
LOOKED_AT = 64


def depth_of(samples: Sequence[Sample], settings: DatasetSettings) -> tuple[int, tuple[str, ...]]:
    """Bits of the set's deep files and a sentence where they fill less than 16; 0 where there are no deep files."""
    paths = [sample.path for sample in samples if sample.path is not None]
    limits = {"max_bytes": settings.max_bytes, "max_pixels": settings.max_pixels}
    with pixel_limit(settings.max_pixels):
        chosen = paths[:: max(len(paths) // LOOKED_AT, 1)]
        values = [value for path in chosen if (value := highest_value(path, **limits)) is not None]
    if not values:
        return 0, ()
    highest = max(values)
    bits = next(bits for bits in CAMERAS if highest < 1 << bits) if highest < 1 << CAMERAS[-1] else CAMERAS[-1]
    if bits == CAMERAS[-1]:
        return bits, ()
    told = (
        f"16-bit files hold {bits}-bit values (the highest is {highest}) and are scaled from those; "
        "DatasetSettings.depth_bits names another depth."
    )
    return bits, (told,)
