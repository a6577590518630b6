"""A line whose parts are drawn as observations or as images, for the monitor's tests."""

import numpy as np

from twinloop.learning.drift_settings import DriftSettings
from twinloop.vision.monitoring.reference import DriftReference, make_reference
from twinloop.vision.monitoring.statistics import GRID, Observations

DEFECTS = 0.05
USUAL = DriftSettings()


def parts(count: int, *, seed: int, defects: float = DEFECTS) -> tuple[Observations, np.ndarray]:
    """Observations of independent parts and whether each is defective; every statistic depends a little on the part."""
    random = np.random.default_rng(seed)
    defective = random.random(count) < defects
    score = random.normal(np.where(defective, 4.0, -4.0), 1.5)
    embedding = random.normal(0, 1, (count, 1)) + random.normal(-4, 1, (count, GRID**2)) + defective[:, None]
    picture = np.column_stack([random.normal(0.5, 0.05, count) for _ in range(4)])
    return Observations(score, score > 0, embedding, picture, np.exp(random.normal(0, 0.2, count))), defective


def reference_of(seed: int, *, good: int = 150, settings: DriftSettings = USUAL) -> DriftReference:
    """A reference from a balanced test split, as the evaluate stage makes it."""
    healthy, _ = parts(60, seed=seed + 1, defects=0.0)
    well, ill = (vars(parts(good, seed=seed + 2 + defects, defects=float(defects))[0]) for defects in (0, 1))
    return make_reference(
        healthy,
        Observations(**{name: np.concatenate([well[name], ill[name]]) for name in well}),
        np.repeat([0, 1], good).astype(np.int64),
        [str(place) for place in range(2 * good)],
        prevalence=np.array([1 - DEFECTS, DEFECTS]),
        model="digest",
        shape=(32, 1),
        settings=settings,
        seed=seed,
    )
