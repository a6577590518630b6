import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.vision.training.crops import window


@given(st.integers(32, 80), st.integers(32, 80), st.integers(0, 2**31), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_piece_lies_inside_its_image(height: int, width: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.random((height, width)) < 0.01).astype(np.uint8)
    rows, columns = window(mask, 32, rng, defect_share=share)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (32, 32)
    assert 0 <= rows.start <= rows.stop <= height
    assert 0 <= columns.start <= columns.stop <= width


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_a_piece_near_a_defect_shows_it(row: int, column: int, seed: int) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[row, column] = 1
    piece = window(mask, 40, np.random.default_rng(seed), defect_share=1.0)
    assert mask[piece].any()


def test_other_pieces_lie_anywhere() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[0, 0] = 1
    rng = np.random.default_rng(0)
    starts = {window(mask, 32, rng, defect_share=0.0)[0].start for _ in range(500)}
    assert starts == set(range(33))
