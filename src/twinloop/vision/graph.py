"""What goes in and out of a detector's graphs, and what their files are called."""

from twinloop.learning.signature import Input

STEM = "detector"
INPUT = "image"
JUDGED = ("logits", "heat")
# Beside what a detector says: how unlike anything learnt the picture is.
OUTPUTS = (*JUDGED, "unlike")


def image_input(*, size: int, channels: int) -> Input:
    """The one input: images [N, channels, size, size] in 0…1."""
    return Input(INPUT, (channels, size, size))
