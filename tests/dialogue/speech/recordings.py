"""Sound made here for tests that need no voice of a person."""

import shutil

import numpy as np
import pytest

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import RATE

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def silence(seconds: float) -> Audio:
    return Audio(np.zeros(round(seconds * RATE), np.float32), RATE)


def joined(*parts: Audio) -> Audio:
    return Audio(np.concatenate([part.samples for part in parts]), RATE)
