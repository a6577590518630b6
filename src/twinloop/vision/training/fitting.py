"""Trains a detector of any kind: by gradient descent, member by member, or in one pass over the images' features."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from twinloop.errors import InputError
from twinloop.learning.fit import Figures, fit
from twinloop.progress import say
from twinloop.vision.index import ImageSet
from twinloop.vision.models.base import SurfaceDetector
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.ensemble import VIEWS, Ensemble
from twinloop.vision.models.one_class import OneClassDetector
from twinloop.vision.models.pretrained import require_located
from twinloop.vision.models.settings import ONE_CLASS, ModelSettings
from twinloop.vision.training.frozen import Features, fit_frozen
from twinloop.vision.training.instances import witnesses
from twinloop.vision.training.loading import judged_batch, subset
from twinloop.vision.training.module import (
    FIGURES,
    MONITOR,
    DetectorTraining,
    assess,
    class_list,
    new_detector,
    scaled,
)
from twinloop.vision.training.pasting import Paster, with_pasted
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings

# Attention with positions, or in windows, is built for one size of image.
ONE_SIZE = ("swin", "vit", "efficientvit_m")
ALONE = "member-{}"


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained detector, the figures of every epoch, and the best epoch (from 0).

    Of an ensemble each member keeps its own best epoch; the figures are the mean of the members that trained so long.
    A detector that is fitted in one pass has a single row, without the figures that its validation cannot give.
    """

    detector: SurfaceDetector
    history: tuple[Figures, ...]
    best_epoch: int


def train_detector(
    model: ModelSettings,
    train: TrainSettings,
    augmentation: AugmentationSettings,
    *,
    images: ImageSet,
    validation: ImageSet,
    seed: int,
    state: Path | None = None,
    profile: Path | None = None,
    show: str | None = None,
    on_epoch: Callable[[int, Figures], None] | None = None,
    features: Features | None = None,
) -> Trained:
    """Train on `images`, choose the epoch on `validation`; what both are must differ in no part.

    state: folder for resuming this very run. profile: folder for the profiler's file, if one is asked for. show: the
    figure beside the progress bar. on_epoch: told every epoch's figures; the members of an ensemble follow each other.
    Raises InputError for images that this kind cannot be trained on, RunError if the loss stops being finite.
    """
    _check_crops(model, train)
    if model.kind in ONE_CLASS:
        return _fit_one_class(model, images=images, validation=validation, seed=seed, on_epoch=on_epoch)
    kept, shown = (witnesses(model, images, some, seed=seed) for some in (images, validation))
    if not (kept.all() and shown.all()):
        say(f"train: {int((~kept).sum())} tiles are left out: another of their picture is less like good ones")
        features = features.subset(kept) if features is not None else None
        images, validation = subset(images, kept), subset(validation, shown)
    if model.frozen:
        return _fit_frozen(model, train, images, validation=validation, seed=seed, on_epoch=on_epoch, features=features)
    images, validation = _training_sets(model, train, images=images, validation=validation, seed=seed)
    detectors: list[Detector] = []
    histories: list[tuple[Figures, ...]] = []
    best_epoch = 0
    for member in range(model.members):
        module = DetectorTraining(
            model.alone, train, augmentation, train=images, validation=validation, seed=seed + member
        )

        def reported(epoch: int, figures: Figures, before: int = member * train.epochs) -> None:
            if on_epoch is not None:
                on_epoch(before + epoch, figures)

        fitted = fit(
            module,
            train,
            monitor=MONITOR,
            seed=seed + member,
            state=state / ALONE.format(member) if state is not None and model.members > 1 else state,
            profile=profile,
            show=show,
            on_epoch=reported,
        )
        assert isinstance(module.detector, Detector)
        detectors.append(module.detector)
        histories.append(fitted.history)
        best_epoch = fitted.best_epoch
    history = _mean_history(histories)
    if model.members > 1 and train.keep == "best":
        best_epoch = max(range(len(history)), key=lambda epoch: history[epoch][MONITOR])
    detector = detectors[0] if model == model.alone else Ensemble(model, detectors).eval()
    return Trained(detector, history, best_epoch)


def _check_crops(model: ModelSettings, train: TrainSettings) -> None:
    side = train.crop_px
    if side and (model.kind in ONE_CLASS or model.frozen):
        looking = model.kind if model.kind in ONE_CLASS else "a frozen encoder"
        raise InputError(f"TrainSettings.crop_px = {side}: {looking} looks at whole images only; set it to 0")
    if side and model.encoder.startswith(ONE_SIZE):
        raise InputError(
            f"TrainSettings.crop_px = {side}: {model.encoder} is built for one size of image; "
            "take a convolutional encoder, or set TrainSettings.crop_px=0"
        )
    if side > model.size_px:
        raise InputError(
            f"TrainSettings.crop_px = {side}: expected at most ModelSettings.size_px = {model.size_px}, "
            "from which crops are cut"
        )


def _training_sets(
    model: ModelSettings, train: TrainSettings, *, images: ImageSet, validation: ImageSet, seed: int
) -> tuple[ImageSet, ImageSet]:
    if model.kind == "simulated":
        images = subset(images, images.labels == 0)
        if not len(images):
            raise InputError("train split: no image is good, and kind simulated learns from good ones alone")
        if not (validation.labels > 0).any():
            say("train: no real defect to validate on; defects are pasted onto the validation images too")
            paster = Paster(images, share=1.0, source="synthetic")
            validation = with_pasted(validation, paster, seed=seed, classes=class_list(validation))
        return images, validation
    images = _croppable(images) if train.crop_px else images
    _require_both(images)
    if not model.frozen and len(validation) and not (validation.labels > 0).any():
        say(
            "train: no real defect to validate on; defects are pasted onto the validation images to choose the epoch by"
        )
        known = ((images.labels > 0) & images.masked).any()
        paster = Paster(images, share=1.0, source="both" if known else "synthetic")
        validation = with_pasted(validation, paster, seed=seed, classes=validation.classes)
    return images, validation


def _croppable(images: ImageSet) -> ImageSet:
    usable = (images.labels == 0) | images.masked
    if usable.all():
        return images
    say(
        f"train: {int((~usable).sum())} defective images without a mask are left out: "
        "a crop of them may show the defect or not"
    )
    return subset(images, usable)


def _require_both(images: ImageSet) -> None:
    defective = int((images.labels > 0).sum())
    if 0 < defective < len(images):
        return
    remedy = (
        "what is good cannot be learnt from defects alone: add good images, or name the class that is fine "
        "(DatasetSettings.good)"
        if defective
        else "a detector that learns from good images alone is ModelSettings.kind=patchcore, padim or simulated"
    )
    raise InputError(
        f"train split: {defective} of {len(images)} usable images are defective, expected some of both kinds; {remedy}"
    )


def _fit_one_class(
    model: ModelSettings,
    *,
    images: ImageSet,
    validation: ImageSet,
    seed: int,
    on_epoch: Callable[[int, Figures], None] | None,
) -> Trained:
    require_located(model)
    good, held_out = (subset(some, some.labels == 0) for some in (images, validation))
    detector = new_detector(model, good if len(good) else images, seed=seed)
    assert isinstance(detector, OneClassDetector)
    detector.fit(_float_batches(good), held_out=_float_batches(held_out), seed=seed)
    return _in_one_pass(detector, validation, on_epoch=on_epoch)


def _fit_frozen(
    model: ModelSettings,
    train: TrainSettings,
    images: ImageSet,
    *,
    validation: ImageSet,
    seed: int,
    on_epoch: Callable[[int, Figures], None] | None,
    features: Features | None,
) -> Trained:
    require_located(model)
    learnt, validation = _training_sets(model, train, images=images, validation=validation, seed=seed)
    if model.kind == "simulated":
        paster = Paster(learnt, share=1.0, source="synthetic")
        images, features = with_pasted(learnt, paster, seed=seed, classes=class_list(learnt)), None
    detector = new_detector(model.alone, images, seed=seed)
    assert isinstance(detector, Detector)
    with tempfile.TemporaryDirectory(prefix="twinloop-features-") as folder:
        if features is None:
            features = frozen_features(model, images, Path(folder), seed=seed, threads=train.threads)
        fit_frozen(detector, images, features, seed=seed)
    judging = detector if model == model.alone else Ensemble(model, [detector]).eval()
    return _in_one_pass(judging, validation, on_epoch=on_epoch)


def frozen_features(model: ModelSettings, images: ImageSet, folder: Path, *, seed: int, threads: int) -> Features:
    """The features of `images` by the frozen encoder of `model`, kept in `folder`: several trainings may use them."""
    require_located(model)
    torch.set_num_threads(threads)
    detector = new_detector(model.alone, images, seed=seed)
    assert isinstance(detector, Detector)
    return Features.of(detector, images, folder, views=VIEWS[model.symmetries], seed=seed)


def _in_one_pass(
    detector: SurfaceDetector, validation: ImageSet, *, on_epoch: Callable[[int, Figures], None] | None
) -> Trained:
    assessed = assess(detector, validation)
    figures = {name: assessed[name.removeprefix("val_")] for name in FIGURES if name.removeprefix("val_") in assessed}
    if "val_ap" in figures:
        figures[MONITOR] = (figures["val_ap"] + figures.get("val_iou", figures["val_ap"])) / 2
    if on_epoch is not None:
        on_epoch(0, figures)
    return Trained(detector, (figures,), 0)


def _float_batches(images: ImageSet) -> Iterator[Tensor]:
    batch = judged_batch(images)
    for start in range(0, len(images), batch):
        pixels = images.images[start : start + batch].transpose(0, 3, 1, 2)
        yield scaled(torch.from_numpy(pixels.copy()))


def _mean_history(histories: list[tuple[Figures, ...]]) -> tuple[Figures, ...]:
    means = []
    for epoch in range(max(map(len, histories))):
        rows = [history[epoch] for history in histories if epoch < len(history)]
        names = [name for name in rows[0] if all(name in row for row in rows)]
        means.append({name: float(np.mean([row[name] for row in rows])) for name in names})
    return tuple(means)
