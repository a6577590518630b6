"""The tune and train stages on a small prepared dataset, in this process or (run as a module) in one to be killed."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.twins.factory.exported import write_inputs
from twinloop.files import write_json
from twinloop.search_space import Dimension
from twinloop.twins.factory import paths, train
from twinloop.twins.stage import Stage
from twinloop.vision.models.settings import ModelSettings, SearchSpace
from twinloop.vision.training.settings import AugmentationSettings, DetectorStudySettings, TrainSettings

SPACE = SearchSpace(
    model={"decoder_width": Dimension(kind="categorical", choices=(8, 16))},
    train={"learning_rate": Dimension(kind="float", low=0.001, high=0.02, log=True)},
)


class Notebook:
    """A tracker that remembers what it was told."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.children: list[tuple[str, dict[str, Any], dict[str, float]]] = []
        self.tags: dict[str, dict[str, str]] = {}
        self.artifacts: list[str] = []

    def log(self, metrics: Mapping[str, float], *, step: int) -> None:
        self.logged.append((step, dict(metrics)))

    def child(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str] | None = None,
    ) -> None:
        if params or metrics:
            self.children.append((name, dict(params), dict(metrics)))
        if tags:
            self.tags[name] = dict(tags)

    def artifact(self, path: Path) -> None:
        self.artifacts.append(path.read_text())


def stage(root: Path, *, workers: int = 1, seed: int = 3, tune: Any = (), fit: Any = ()) -> Stage[Any]:
    """A stage at `root` with quick settings; `tune` and `fit` change those of the study and of the training."""
    sections = SimpleNamespace(
        model=ModelSettings(size_px=32, width=8, decoder_width=8, dropout=0.2, space=SPACE),
        train=TrainSettings(**{"epochs": 8, "patience": 8, "batch_size": 16, "accelerator": "cpu"} | dict(fit)),
        augmentation=AugmentationSettings(),
        tune=DetectorStudySettings(**{"trials": 4, "epochs": 2, "warmup_trials": 1, "heartbeat_s": 1} | dict(tune)),
    )
    return Stage(SimpleNamespace(profile="smoke", seed=seed, factory=sections), root, Notebook(), workers)


def prepared(root: Path) -> Path:
    """A root with a dataset and with configured values, as prepare and a tune stage without trials leave them."""
    write_inputs(root)
    write_json(root / paths.TUNED, {"source": "configured", "values": {}, "trial": None, "value": None})
    return root


if __name__ == "__main__":
    train.run(stage(Path(sys.argv[1]), fit={"epochs": int(sys.argv[2]), "patience": int(sys.argv[2])}))
