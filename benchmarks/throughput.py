"""Training throughput of the stage's fit against a bare PyTorch loop over the same model, loss and loader.

Both train the default detector on rendered surfaces on the CPU; pairs are interleaved and the first epoch of each run
is not counted. Validation and checkpoints are excluded: the clock stops after an epoch's last training batch.
"""

import dataclasses
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR

from twinloop.learning.fit import fit
from twinloop.vision.datasets.build import build
from twinloop.vision.datasets.settings import DatasetSettings, SurfaceSettings
from twinloop.vision.index import ImageSet, load_images
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.module import MONITOR, DetectorTraining, learning_rate_factor, new_optimizer
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings

PAIRS = 7
PARTS = 250
EPOCHS = 2
ROOT = Path(__file__).resolve().parents[1]


class Timed(DetectorTraining):
    """The training itself, which notes the seconds of every epoch's training batches."""

    seconds: list[float]

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        self._started = time.perf_counter()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx + 1 == self.trainer.num_training_batches:
            self.seconds.append(time.perf_counter() - self._started)


def ratio(folder: Path) -> float:
    """Images per second of fit over those of the bare loop, median of interleaved pairs; data goes to `folder`."""
    surfaces = SurfaceSettings(parts=PARTS, exposures=2)
    dataset = folder / "throughput"
    build(DatasetSettings(surfaces=surfaces), ROOT / DatasetSettings().source, dataset, seed=1, workers=1)
    model = ModelSettings()
    train, validation = (
        load_images(dataset, split, size=model.size_px, channels=model.channels) for split in ("train", "val")
    )
    settings = dataclasses.replace(TrainSettings(), epochs=EPOCHS, patience=EPOCHS, accelerator="cpu")
    ratios = []
    for pair in range(PAIRS):
        # Each goes first every other time, so that a machine that warms up or slows down favours neither.
        if pair % 2:
            fitted = _fit_seconds(model, settings, train, validation)
            bare = _bare_seconds(model, settings, train, validation)
        else:
            bare = _bare_seconds(model, settings, train, validation)
            fitted = _fit_seconds(model, settings, train, validation)
        ratios.append(bare / fitted)
    return round(statistics.median(ratios), 3)


def _fit_seconds(model: ModelSettings, settings: TrainSettings, train: ImageSet, validation: ImageSet) -> float:
    module = Timed(model, settings, AugmentationSettings(), train=train, validation=validation, seed=0)
    module.seconds = []
    fit(module, settings, monitor=MONITOR, seed=0)
    return module.seconds[-1]


def _bare_seconds(model: ModelSettings, settings: TrainSettings, train: ImageSet, validation: ImageSet) -> float:
    module = DetectorTraining(model, settings, AugmentationSettings(), train=train, validation=validation, seed=0)
    loader: Any = module.train_dataloader()
    optimizer = new_optimizer(module.detector, settings)
    steps = settings.epochs * len(loader)
    schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps=steps, warmup=settings.warmup))
    module.train()
    seconds = 0.0
    for epoch in range(settings.epochs):
        loader.sampler.set_epoch(epoch)
        started = time.perf_counter()
        for batch in loader:
            loss = module.batch_loss(batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), settings.gradient_clip)
            optimizer.step()
            schedule.step()
        seconds = time.perf_counter() - started
    return seconds
