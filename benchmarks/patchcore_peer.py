"""anomalib's PatchCore beside ours: the same folds by part, good images, backbone, weights, maps, input and bank.

Its torch module is taken, without its engine and its own preprocessing, and what it scores an image is ranked. One
thing it lacks is done for it: its coreset of all patches of all good images would take hours here, so it chooses from
as many as ours does, drawn at random.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks.vision import FOLDS, configured, photographs, repeated
from twinloop.twins.factory.weights import with_weights
from twinloop.vision.datasets.splits import kfold
from twinloop.vision.index import ImageSet
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.crossvalidation import Fold, part_metrics
from twinloop.vision.training.loading import subset
from twinloop.vision.training.metrics import image_metrics

PACKAGE = "anomalib"
# What the published weights expect, of a grey image shown three times over as of a coloured one.
MEAN = STD = 0.5
# Small: the memory of larger ones is asked of the system anew each time, which takes longer than the convolutions.
BATCH = 2


def figures(
    name: str, overrides: Sequence[str], source: Path, folder: Path, *, seeds: int, reasons: dict[str, str]
) -> dict[str, float | None]:
    """As `vision.cross_validated`, of anomalib's detector; null, with the reason, where it is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        reasons[name] = f"{PACKAGE} is not installed"
        return {f"{name}_auroc_mean": None}
    config = configured(*overrides)
    images = photographs(config, source, folder)
    model = with_weights(config.factory.model, folder.parent / "state")

    def folds_of(seed: int, on_fold: Callable[[Fold], None]) -> list[Fold]:
        found = []
        for fold in folds(model, images, val_share=config.factory.data.val_share, seed=seed):
            on_fold(fold)
            found.append(fold)
        return found

    return repeated(name, folds_of, seed=config.seed, seeds=seeds)


def folds(model: ModelSettings, images: ImageSet, *, val_share: float, seed: int) -> Iterator[Fold]:
    """Each fold that ours has by this seed, learnt from the same images; those held out to set limits serve nothing."""
    names = [images.classes[label] for label in images.labels]
    for number, split in enumerate(kfold(names, images.groups, folds=FOLDS, val_share=val_share, seed=seed)):
        learnt, test = (subset(images, np.array(split) == part) for part in ("train", "test"))
        # What is printed on stdout is figures.
        with contextlib.redirect_stdout(sys.stderr):
            scores = judged(model, subset(learnt, learnt.labels == 0), test, seed=seed)
        labels = torch.from_numpy(test.labels)
        found = image_metrics(scores, labels) | part_metrics(scores, labels, test.groups)
        yield Fold(number, found, 0, len(learnt), len(test), len(set(test.groups)))


def judged(model: ModelSettings, good: ImageSet, test: ImageSet, *, seed: int) -> Tensor:
    """Scores [N] of the images of `test`, by a detector that learnt from those of `good`."""
    with torch.random.fork_rng(devices=()), torch.inference_mode():
        torch.manual_seed(seed)
        # Its random projection draws from NumPy's own generator.
        np.random.seed(seed)  # noqa: NPY002
        peer = detector(model)
        peer.train()
        for batch in batches(good):
            peer(batch)
        patches = torch.cat(peer.embedding_store)
        peer.embedding_store = [patches[torch.randperm(len(patches))[: model.bank_candidates]]]
        peer.subsample_embedding(model.bank_patches / len(peer.embedding_store[0]))
        peer.eval()
        return torch.cat([peer(batch).pred_score for batch in batches(test)])


def detector(model: ModelSettings) -> Any:
    """anomalib's torch module with the encoder, weights and maps that `model` names; weights must be located."""
    module = importlib.import_module(f"{PACKAGE}.models.image.patchcore.torch_model")
    peer = module.PatchcoreModel(
        # timm counts its maps from 0, which is stride 2; ours from 1, which is stride 4.
        layers=model.stages,
        backbone=model.encoder,
        pre_trained=False,
        num_neighbors=model.bank_neighbours,
    )
    peer.feature_extractor.feature_extractor.load_state_dict(load_file(model.weights_file))
    return peer


def batches(images: ImageSet) -> Iterator[Tensor]:
    """Pictures [n, 3, size, size], normalised."""
    for start in range(0, len(images), BATCH):
        pixels = torch.from_numpy(images.images[start : start + BATCH].copy()).movedim(-1, 1).float() / 255
        yield ((pixels - MEAN) / STD).expand(-1, 3, -1, -1).contiguous()
