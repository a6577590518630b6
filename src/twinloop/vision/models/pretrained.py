"""The registry's weights made ready for timm: read once, kept as safetensors.

What is published is a pickled checkpoint in another implementation's names. It is read with `weights_only=True` (no
code can run), its tensors take timm's names in their own order, which is the same, and those of the feature maps are
kept as safetensors in a folder that the caller names. That file's name carries its digest: an altered one is not used.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import timm
import torch
from torch import Tensor

from twinloop.errors import InputError, RunError
from twinloop.files import atomic
from twinloop.learning.weights import Places, find
from twinloop.vision.models.published import DIGITS, PUBLISHED, Published, kept
from twinloop.vision.models.settings import REGISTRY, ModelSettings


def located(settings: ModelSettings, places: Places, *, cache: Path) -> ModelSettings:
    """`settings` whose weights of the registry are a file in `cache`; other settings stay as they are.

    A folder that the settings name (registry:FOLDER) is looked at before the `places`.
    Raises RunError where the weights are missing or not what was published.
    """
    if not settings.pretrained or settings.weights_file:
        return settings
    published = PUBLISHED[settings.encoder]
    path = kept(published, cache)
    if path is None or settings.weights_folder:
        if settings.weights_folder:
            places = dataclasses.replace(places, folder=Path(settings.weights_folder))
        path = _keep(published, find(published.weights, places) / published.file, settings.encoder, cache)
    return dataclasses.replace(settings, weights=f"{REGISTRY}:{path}")


def require_located(settings: ModelSettings) -> None:
    """Raise InputError for weights of the registry that nobody looked for: they would be random numbers."""
    if settings.pretrained and not settings.weights_file:
        raise InputError(
            f"model.weights = {settings.weights}: expected the file of the weights: look for it first "
            "(twinloop.vision.models.pretrained.located)"
        )


def _keep(published: Published, source: Path, encoder: str, cache: Path) -> Path:
    theirs: dict[str, Tensor] = torch.load(source, map_location="cpu", weights_only=True)
    # A new network's random start must not move the draws of whoever asks.
    with torch.random.fork_rng(devices=()):
        ours = timm.create_model(encoder, pretrained=False).state_dict()
        pyramid = timm.create_model(encoder, pretrained=False, features_only=True).state_dict()
    whole = in_order(theirs, ours)
    content = safetensors.torch.save({name: whole[name] for name in pyramid})
    digest = hashlib.sha256(content).hexdigest()[:DIGITS]
    path = cache / f"{Path(published.file).stem}-{digest}.safetensors"
    with atomic(path) as temporary:
        temporary.write_bytes(content)
    return path


def in_order(theirs: Mapping[str, Tensor], ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Their tensors under our names, first to first. Raises RunError where a shape or the number differs."""
    if [value.shape for value in theirs.values()] != [value.shape for value in ours.values()]:
        raise RunError(
            f"weights: expected {len(ours)} tensors of the shapes that timm's encoder has, in its order, got "
            f"{len(theirs)} others: install the pinned versions of timm and of the weights (make setup)"
        )
    return {name: value.contiguous() for name, value in zip(ours, theirs.values(), strict=True)}
