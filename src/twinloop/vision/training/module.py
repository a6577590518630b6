"""The detector's training as a LightningModule: batches, loss, optimiser and validation figures.

AdamW (Loshchilov and Hutter, 2019) with a learning rate that is a pure function of the step, so that a resumed run
needs nothing but the step's number. Figures are gathered once per epoch, never per step.
"""

import dataclasses
import math
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from twinloop.errors import InputError
from twinloop.vision.index import GOOD, ImageSet
from twinloop.vision.models import registry
from twinloop.vision.models.base import MIDDLE, UNIT, SurfaceDetector, anomaly_score, equalised
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.loading import JUDGED_IMAGES, Batch, judged_batch, training_batches, validation_batches
from twinloop.vision.training.losses import DetectorLoss, enlarge, inverse_frequency
from twinloop.vision.training.metrics import (
    detector_metrics,
    image_metrics,
    intersection_over_union,
    overlap,
)
from twinloop.vision.training.pasting import Paster
from twinloop.vision.training.pictures import by_picture
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings
from twinloop.vision.training.transforms import Augmenter

# Best epoch by the mean of AP and IoU: AP alone saturates early and would drop the better of two maps.
MONITOR = "val_score"
# What a detector of kind simulated is shown where nothing else is said.
SIMULATED_SHARE = 0.5
SOME_DEFECT = "defect"
# In order, the columns of the epochs table.
FIGURES = ("train_loss", "val_loss", "val_auroc", "val_ap", "val_iou", MONITOR)


class DetectorTraining(lightning.LightningModule):
    """Everything about training a detector except the loop itself; figures are logged as in `FIGURES`.

    Raises InputError if the validation images cannot rank a detector.
    """

    def __init__(
        self,
        model: ModelSettings,
        settings: TrainSettings,
        augmentation: AugmentationSettings,
        *,
        train: ImageSet,
        validation: ImageSet,
        seed: int,
    ) -> None:
        super().__init__()
        defective = int((validation.labels > 0).sum())
        if not 0 < defective < len(validation.labels):
            raise InputError(
                f"validation split: {defective} of {len(validation.labels)} images are defective, expected some of "
                f"both kinds to choose the epoch by; add {'good' if defective else 'defective'} images"
            )
        if model.normalise == "image":
            train = dataclasses.replace(train, images=equalised(train.images))
        self.training_settings, self.train_images, self.validation_images = settings, train, validation
        self.seed = seed
        self.augment = Augmenter(augmentation, seed=seed)
        self.paster = new_paster(model, settings, train)
        self.detector = new_detector(model, train, seed=seed)
        if settings.precision != "32-true":
            # Kernels for half precision work on channels last; the order changes the last digits of full precision.
            self.detector.to(memory_format=torch.channels_last)
        weights = inverse_frequency(torch.from_numpy(train.labels), len(self.detector.classes))
        self.loss = DetectorLoss(settings, class_weights=weights if settings.class_weights == "inverse" else None)
        self._losses: list[Tensor] = []
        self._validated: list[tuple[Tensor, ...]] = []

    def train_dataloader(self) -> DataLoader[Batch]:
        rank, world = self._place()
        return training_batches(
            self.train_images,
            self.training_settings,
            augment=self.augment,
            paster=self.paster,
            seed=self.seed,
            rank=rank,
            world=world,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        # Every process validates everything: ranking figures cannot be averaged over shares of the data.
        return validation_batches(self.validation_images, batch_size=JUDGED_IMAGES)

    def batch_loss(self, batch: Batch) -> Tensor:
        """The loss of one training batch."""
        logits, heat = self.detector(scaled(batch.images))
        loss: Tensor = self.loss(logits, heat, labels=batch.labels, masks=batch.masks, masked=batch.masked)
        return loss

    def training_step(self, batch: Batch, _: int) -> Tensor:
        loss = self.batch_loss(batch)
        self._losses.append(loss.detach())
        return loss

    def on_train_epoch_start(self) -> None:
        self._losses.clear()

    def validation_step(self, batch: Batch, _: int) -> None:
        # In 32 bits whatever training uses: half precision would tie the scores that are ranked here.
        with torch.autocast(self.device.type, enabled=False):
            logits, heat = self.detector(scaled(batch.images))
        loss = self.loss(logits, heat, labels=batch.labels, masks=batch.masks, masked=batch.masked)
        probabilities = torch.sigmoid(enlarge(heat, (batch.masks.shape[-2], batch.masks.shape[-1])))[:, 0]
        counts = overlap(probabilities[batch.masked], batch.masks[batch.masked])
        weighted = loss * len(batch.labels)
        self._validated.append((logits, batch.labels, weighted, torch.tensor(counts)))

    def on_validation_epoch_end(self) -> None:
        logits, labels = (torch.cat([batch[place] for batch in self._validated]) for place in range(2))
        loss = torch.stack([batch[2] for batch in self._validated]).sum() / len(labels)
        counts = torch.stack([batch[3] for batch in self._validated]).sum(dim=0).tolist()
        self._validated.clear()
        figures = image_metrics(anomaly_score(logits), labels) | intersection_over_union(*counts)
        self.log("val_loss", loss)
        for name in ("auroc", "ap", "iou"):
            if name in figures:
                self.log(f"val_{name}", figures[name])
        self.log(MONITOR, (figures["ap"] + figures.get("iou", figures["ap"])) / 2)

    def on_train_epoch_end(self) -> None:
        self.log("train_loss", torch.stack(self._losses).mean())

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        settings = self.training_settings
        steps = settings.epochs * math.ceil(len(self.train_dataloader()) / settings.accumulate)
        optimizer = new_optimizer(self.detector, settings)
        schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps=steps, warmup=settings.warmup))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _place(self) -> tuple[int, int]:
        attached = getattr(self, "_trainer", None)
        return (attached.global_rank, attached.world_size) if attached is not None else (0, 1)


def class_list(images: ImageSet) -> tuple[str, ...]:
    """The classes a detector of these images has; where all are good, one stands for any defect."""
    return images.classes if len(images.classes) > 1 else (GOOD, SOME_DEFECT)


def new_detector(settings: ModelSettings, train: ImageSet, *, seed: int) -> SurfaceDetector:
    """A detector with seeded weights whose normalisation fits the training images, or its pretrained weights."""
    size, channels = train.images.shape[1], train.images.shape[3]
    detector = registry.new_detector(settings, classes=class_list(train), size=size, channels=channels, seed=seed)
    if settings.normalise == "image":
        detector.normalise_to(torch.full((channels,), MIDDLE), torch.full((channels,), UNIT))
    elif not settings.weights:
        # Moments through 256-bin counts: exact, and free of a copy of all images.
        counts = [_histogram(train.images, channel) for channel in range(channels)]
        values = np.arange(256) / 255
        mean = np.array([(count * values).sum() / count.sum() for count in counts])
        square = np.array([(count * values**2).sum() / count.sum() for count in counts])
        detector.normalise_to(torch.from_numpy(mean), torch.from_numpy(np.sqrt(np.maximum(square - mean**2, 0))))
    return detector


def _histogram(images: NDArray[np.uint8], channel: int) -> NDArray[np.int64]:
    counts = np.zeros(256, np.int64)
    for image in images:
        counts += np.bincount(image[..., channel].ravel(), minlength=256)
    return counts


def new_paster(model: ModelSettings, settings: TrainSettings, train: ImageSet) -> Paster | None:
    """What pastes defects onto good images for this training; None where nothing is pasted."""
    if model.kind == "simulated":
        return Paster(train, share=settings.paste or SIMULATED_SHARE, source="synthetic")
    if settings.paste:
        return Paster(train, share=settings.paste, source=settings.paste_source)
    return None


def new_optimizer(detector: SurfaceDetector, settings: TrainSettings) -> AdamW:
    """AdamW whose weight decay spares biases and normalisation."""
    decayed = [value for value in detector.parameters() if value.ndim > 1]
    spared = [value for value in detector.parameters() if value.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": spared, "weight_decay": 0.0}]
    return AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def learning_rate_factor(step: int, *, steps: int, warmup: float) -> float:
    """Linear rise to 1 over the share `warmup` of `steps`, then half a cosine down to 0."""
    rise = warmup * steps
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / max(steps - rise, 1))))


def scaled(images: Tensor) -> Tensor:
    """uint8 images as float32 in 0…1."""
    return images.to(torch.float32).div_(255)


def detect(detector: SurfaceDetector, images: ImageSet) -> tuple[Tensor, Tensor]:
    """Class logits [N, K] and heat probabilities [N, H, W] of a whole split, on the detector's device, in order."""
    detector.eval()
    device = detector.mean.device
    batch_size = judged_batch(images) if device.type == "cpu" else JUDGED_IMAGES
    logits, probabilities = [], []
    with torch.inference_mode():
        for batch in validation_batches(images, batch_size=batch_size):
            scores, heat = detector(scaled(batch.images.to(device)))
            logits.append(scores.cpu())
            probabilities.append(
                torch.sigmoid(enlarge(heat, (images.masks.shape[1], images.masks.shape[2])))[:, 0].cpu()
            )
    return torch.cat(logits), torch.cat(probabilities)


def assess(detector: SurfaceDetector, images: ImageSet) -> dict[str, float]:
    """All figures of a detector on one split: auroc, ap, f1, iou, pixel_auroc and, if it names them, class recalls.

    Of tiles of which nobody knows what they show, the hottest of each picture counts.
    """
    logits, probabilities, images = by_picture(*detect(detector, images), images)
    return detector_metrics(
        logits,
        probabilities,
        labels=torch.from_numpy(images.labels),
        masks=torch.from_numpy(images.masks.copy()),
        masked=torch.from_numpy(images.masked),
        classes=images.classes if detector.names_defects else (),
    )
