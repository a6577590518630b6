"""The small encoder for all tests of this room."""

from tests.dialogue.small_encoder import encoder

__all__ = ["encoder"]
