"""Trains the recogniser of spoken commands with Lightning and writes it as an ONNX graph.

A few variants of each recording are made once, whoever learns from them; every epoch learns from one of each, which is
stretched, warped and masked anew. Draws follow from seed and epoch alone.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import resampled
from twinloop.dialogue.speech.commands.augmentation import varied_features, varied_samples
from twinloop.dialogue.speech.commands.features import BANDS, FRAMES, RATE, command_features
from twinloop.dialogue.speech.commands.network import CommandNetwork
from twinloop.dialogue.speech.commands.recogniser import INPUT, OUTPUT, WORDS
from twinloop.dialogue.speech.commands.settings import AugmentationSettings, CommandSettings
from twinloop.errors import InputError
from twinloop.learning.export import to_onnx
from twinloop.learning.fit import fit, one_cycle
from twinloop.learning.signature import Input

# Recordings that become features at once.
CHUNK = 64


class Command(NamedTuple):
    """A recording of one word by one speaker."""

    audio: Audio
    word: str
    speaker: str


class Variants(NamedTuple):
    """Recordings as they are learnt from. features: [variants, commands, 40, 49], in half precision to be smaller."""

    features: NDArray[np.float16]
    words: tuple[str, ...]
    speakers: tuple[str, ...]

    def where(self, kept: Sequence[bool]) -> "Variants":
        """Those of some of the commands."""
        words, speakers = (tuple(compress(names, kept)) for names in (self.words, self.speakers))
        return Variants(self.features[:, np.asarray(kept, bool)], words, speakers)


class Trained(NamedTuple):
    """A network and the words that its logits stand for."""

    network: CommandNetwork
    words: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write it as an ONNX graph that carries its words."""
        inputs = (Input(INPUT, (BANDS, FRAMES)),)
        to_onnx(self.network, inputs, path=path, outputs=(OUTPUT,), metadata={WORDS: json.dumps(self.words)})


def varied(commands: Sequence[Command], settings: AugmentationSettings, *, seed: int) -> Variants:
    """Variants of recordings, in their order."""
    recordings = [resampled(command.audio, RATE).samples for command in commands]
    features = np.empty((settings.variants, len(recordings), BANDS, FRAMES), np.float16)
    for variant in range(settings.variants):
        rng = np.random.default_rng([seed, variant])
        for start in range(0, len(recordings), CHUNK):
            some = recordings[start : start + CHUNK]
            windows = np.stack([varied_samples(samples, settings, rng) for samples in some])
            features[variant, start : start + len(some)] = command_features(windows)
    return Variants(features, tuple(one.word for one in commands), tuple(one.speaker for one in commands))


def train_commands(variants: Variants, settings: CommandSettings, *, seed: int) -> Trained:
    """A recogniser of the words in `variants`. Raises InputError for fewer than two words."""
    words = tuple(sorted(set(variants.words)))
    if len(words) < 2:
        raise InputError(f"commands: expected recordings of at least two words, got {', '.join(words) or 'none'}")
    torch.manual_seed(seed)
    network = CommandNetwork(len(words), width=settings.width, dropout=settings.dropout)
    fit(_Task(network, variants, words, settings, seed=seed), settings.fit, monitor="fitness", seed=seed)
    return Trained(network.eval(), words)


class _Task(lightning.LightningModule):
    """Fits a network; the logged figure is the negative training loss."""

    def __init__(
        self,
        network: CommandNetwork,
        variants: Variants,
        words: tuple[str, ...],
        settings: CommandSettings,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.network, self.options, self.seed = network, settings, seed
        self.features = variants.features
        self.targets = np.array([words.index(word) for word in variants.words])

    def train_dataloader(self) -> Any:
        return _Batches(self)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        features, targets = batch
        logits = self.network(features)
        loss = functional.cross_entropy(logits, targets, label_smoothing=self.options.smoothing)
        self.log("fitness", -loss, on_step=False, on_epoch=True, batch_size=len(features))
        return loss

    def configure_optimizers(self) -> Any:
        options, steps = self.options, len(_Batches(self)) * self.options.fit.epochs
        return one_cycle(self, learning_rate=options.learning_rate, weight_decay=options.weight_decay, steps=steps)


class _Batches:
    """The batches of one epoch, drawn from seed and epoch alone, so that a resumed run repeats them."""

    def __init__(self, task: _Task) -> None:
        self.task = task

    def __len__(self) -> int:
        return max(len(self.task.targets) // self.task.options.batch, self.task.options.least_batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        task, augmentation = self.task, self.task.options.augmentation
        rng = np.random.default_rng([task.seed, task.current_epoch])
        recordings, size = len(task.targets), task.options.batch
        rounds = -(-len(self) * size // recordings)
        order = np.concatenate([rng.permutation(recordings) for _ in range(rounds)])
        for batch in range(len(self)):
            chosen = order[batch * size : (batch + 1) * size]
            some = task.features[rng.integers(0, len(task.features), len(chosen)), chosen].astype(np.float32)
            features = varied_features(some, augmentation, rng)
            yield torch.from_numpy(features), torch.from_numpy(task.targets[chosen])
