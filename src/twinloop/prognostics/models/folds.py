"""Folds by unit: rows of one asset are never on both sides."""

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError


def unit_folds(unit: NDArray[np.int64], folds: int, *, seed: int) -> NDArray[np.int64]:
    """[N] fold of each row, drawn by its unit [N]. Raises InputError for fewer units than folds."""
    units = np.unique(unit)
    if len(units) < folds:
        raise InputError(f"models: expected at least {folds} assets for {folds} folds, got {len(units)}: use fewer")
    order = np.random.default_rng(seed).permutation(len(units))
    fold: NDArray[np.int64] = order[np.searchsorted(units, unit)] % folds
    return fold
