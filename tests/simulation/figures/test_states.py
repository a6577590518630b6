from itertools import combinations

import numpy as np
import pytest

from twinloop.simulation.events.log import STATES
from twinloop.simulation.figures.states import STATE_COLOURS, STATE_MEANINGS, in_order, text_colour

# Machado, Oliveira and Fernandes (2009), severity 1.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def linear(colour: str) -> np.ndarray:
    share = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b*; a distance of 2.3 can just be seen."""
    ratio = XYZ @ np.clip(rgb, 0, 1) / WHITE
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def luminance(colour: str) -> float:
    return float(XYZ[1] @ linear(colour))


def test_every_state_has_a_colour_and_a_meaning():
    assert set(STATE_COLOURS) == set(STATE_MEANINGS) == set(STATES)
    assert in_order({"idle", "running", "down"}) == ["running", "down", "idle"]


@pytest.mark.parametrize("sight", SIGHT)
def test_all_pairs_of_states_can_be_told_apart(sight):
    seen = {state: lab(np.array(SIGHT[sight]) @ linear(colour)) for state, colour in STATE_COLOURS.items()}
    near = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(seen, 2)}
    assert min(near.values()) > 15, min(near, key=near.get)


@pytest.mark.parametrize("state", STATES)
def test_text_on_a_state_can_be_read(state):
    one, other = sorted((luminance(STATE_COLOURS[state]), luminance(text_colour(state))))
    assert (other + 0.05) / (one + 0.05) >= 3.5
