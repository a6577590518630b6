"""The day the detector was measured, kept to compare later days with: drift_reference.json.

Test parts, one image each, in the line's mix of classes, so that good days look alike. The embedding's centre and
spread come from other images (the validation split's good ones): a distance to a centre that was fitted on the same
images would be too small, and every later day would seem to have moved.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.files import read_json, write_json
from twinloop.learning.drift_settings import DriftSettings
from twinloop.vision.monitoring.statistics import PICTURE, Floats, Observations
from twinloop.vision.scores import score_limit

VERSION = 2
REFERENCE_FILE = "drift_reference.json"
DISTANCE = "embedding distance"
STOPPED = "share stopped"
STRANGE = "share unlike anything learnt"
# Share of unchanged parts beyond the limit of strangeness: so few that three in a hundred are no chance.
STRANGE_RATE = 0.001
MEASURED = ("score", DISTANCE, *PICTURE)


@dataclass(frozen=True, eq=False)
class DriftReference:
    """What unchanged parts look like.

    values: for each of MEASURED one value per reference part; stopped: [N] whether it was not accepted. centre,
    precision: of the embedding, [D] and [D, D]. strange_from: unlike score beyond which one part in a thousand lies.
    model: digest of the graph; size, channels: of its images. settings: how the monitor looks unless told otherwise.
    """

    values: dict[str, Floats]
    stopped: NDArray[np.bool_]
    centre: Floats
    precision: Floats
    strange_from: float
    model: str
    size: int
    channels: int
    settings: DriftSettings

    def measure(self, observed: Observations) -> dict[str, Floats]:
        """The values of MEASURED, one per image."""
        away = observed.embedding - self.centre
        distance = np.sqrt(np.einsum("nd,de,ne->n", away, self.precision, away).clip(min=0))
        measured = {"score": observed.score, DISTANCE: distance, **dict(zip(PICTURE, observed.picture.T, strict=True))}
        return {name: _rounded(values) for name, values in measured.items()}

    def strange(self, observed: Observations) -> NDArray[np.bool_]:
        """[N], whether an image is unlike anything learnt, even more than what the detector looks at again."""
        return _rounded(observed.unlike) > self.strange_from

    def save(self, path: str | Path) -> None:
        """Write JSON."""
        settings = {
            "window": self.settings.window,
            "false_alarms_per_1000_windows": self.settings.false_alarms_per_1000_windows,
        }
        write_json(
            path,
            {
                "version": VERSION,
                "model": self.model,
                "size": self.size,
                "channels": self.channels,
                "settings": settings,
                "values": {name: values.tolist() for name, values in self.values.items()},
                "stopped": self.stopped.astype(int).tolist(),
                "strange_from": self.strange_from,
                "embedding": {"centre": self.centre.tolist(), "precision": self.precision.tolist()},
            },
        )

    @classmethod
    def load(cls, path: str | Path) -> "DriftReference":
        """Read what `save` wrote. Raises InputError where there is none, or one of another kind or version."""
        if not Path(path).is_file():
            raise InputError(f"drift: {path}: expected a reference, found none: run the evaluate stage first")
        try:
            record: dict[str, Any] = read_json(path)
            if record["version"] != VERSION:
                raise ValueError(f"version {record['version']}, expected {VERSION}")
            return cls(
                values={name: np.array(record["values"][name], np.float64) for name in MEASURED},
                stopped=np.array(record["stopped"], np.bool_),
                centre=np.array(record["embedding"]["centre"], np.float64),
                precision=np.array(record["embedding"]["precision"], np.float64),
                strange_from=float(record["strange_from"]),
                model=str(record["model"]),
                size=int(record["size"]),
                channels=int(record["channels"]),
                settings=DriftSettings(**record["settings"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"drift: {path}: not a drift reference ({reason}): run the evaluate stage again") from None


def make_reference(
    good: Observations,
    measured: Observations,
    labels: NDArray[np.int64],
    groups: Sequence[str],
    *,
    prevalence: Floats,
    model: str,
    shape: tuple[int, int],
    settings: DriftSettings,
    seed: int,
) -> DriftReference:
    """The reference from test images (`measured`, with labels and groups) in the mix `prevalence` of the classes.

    good: images of good parts that are not among them, at least two. shape: (size, channels) of the images.
    Raises InputError where one of the two holds too little.
    """
    from sklearn.covariance import LedoitWolf

    chosen = line_sample(labels, groups, prevalence=prevalence, seed=seed)
    if len(good) < 2 or len(chosen) < 2:
        raise InputError(
            f"drift: expected at least 2 good validation images and 2 test parts, found {len(good)} and {len(chosen)}: "
            "add images of more good parts"
        )
    fitted = LedoitWolf().fit(good.embedding)
    spread = np.asarray(fitted.covariance_) + 1e-6 * np.eye(good.embedding.shape[1])
    bare = DriftReference(
        values={},
        stopped=measured.stopped[chosen],
        centre=np.asarray(good.embedding.mean(axis=0), np.float64),
        precision=np.asarray(np.linalg.inv(spread), np.float64),
        strange_from=score_limit(_rounded(measured.unlike[chosen]), false_alarms=STRANGE_RATE),
        model=model,
        size=shape[0],
        channels=shape[1],
        settings=settings,
    )
    return dataclasses.replace(bare, values=bare.measure(measured.rows(chosen)))


def line_sample(
    labels: NDArray[np.int64], groups: Sequence[str], *, prevalence: Floats, seed: int
) -> NDArray[np.int64]:
    """Places of images, one per part, as many as there can be in the mix `prevalence` [C]; in ascending order.

    A class without a part is left out of the mix.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed))
    names = np.asarray(groups)
    single = [
        random.permutation(np.flatnonzero(labels == label)[np.unique(names[labels == label], return_index=True)[1]])
        for label in range(len(prevalence))
    ]
    parts = np.array([len(places) for places in single])
    shares = np.where(parts > 0, prevalence, 0.0)
    if shares.sum() == 0:
        return np.empty(0, np.int64)
    shares /= shares.sum()
    total = int(np.min(parts[shares > 0] / shares[shares > 0]) + 1e-9)
    counts = np.floor(shares * total).astype(np.int64)
    # Largest remainders make up what rounding down left.
    rest = np.argsort(-(shares * total - counts), kind="stable")[: total - int(counts.sum())]
    counts[rest] += 1
    return np.sort(np.concatenate([places[:count] for places, count in zip(single, counts, strict=True)]))


def _rounded(values: Floats) -> Floats:
    # The graph's last bits differ with the size of a batch; equal images must stay ties for the tests.
    return np.array([float(f"{value:.6g}") for value in values], np.float64)
