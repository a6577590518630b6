"""Trains the recogniser of spoken commands with Lightning and writes it as an ONNX graph.

Every epoch learns from each recording once, varied anew; draws follow from seed and epoch alone. Nothing but recordings
to learn from is seen: what is chosen, is chosen on other speakers (`evaluation`).
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor
from torch.nn import functional

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import resampled
from twinloop.dialogue.speech.commands.augmentation import varied_features, varied_samples
from twinloop.dialogue.speech.commands.features import BANDS, FRAMES, RATE, command_features
from twinloop.dialogue.speech.commands.network import CommandNetwork
from twinloop.dialogue.speech.commands.recogniser import INPUT, OUTPUT, WORDS
from twinloop.dialogue.speech.commands.settings import CommandSettings
from twinloop.errors import InputError
from twinloop.learning.export import to_onnx
from twinloop.learning.fit import fit
from twinloop.learning.signature import Input


class Command(NamedTuple):
    """A recording of one word by one speaker."""

    audio: Audio
    word: str
    speaker: str


class Trained(NamedTuple):
    """A network and the words that its logits stand for."""

    network: CommandNetwork
    words: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write it as an ONNX graph that carries its words."""
        inputs = (Input(INPUT, (BANDS, FRAMES)),)
        to_onnx(self.network, inputs, path=path, outputs=(OUTPUT,), metadata={WORDS: json.dumps(self.words)})


def train_commands(commands: Sequence[Command], settings: CommandSettings, *, seed: int) -> Trained:
    """A recogniser of the words in `commands`. Raises InputError for fewer than two words."""
    words = tuple(sorted({command.word for command in commands}))
    if len(words) < 2:
        raise InputError(f"commands: expected recordings of at least two words, got {', '.join(words) or 'none'}")
    torch.manual_seed(seed)
    network = CommandNetwork(len(words), width=settings.width, dropout=settings.dropout)
    fit(_Task(network, commands, words, settings, seed=seed), settings.fit, monitor="fitness", seed=seed)
    return Trained(network.eval(), words)


class _Task(lightning.LightningModule):
    """Fits a network; the logged figure is the negative training loss."""

    def __init__(
        self,
        network: CommandNetwork,
        commands: Sequence[Command],
        words: tuple[str, ...],
        settings: CommandSettings,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.network, self.options, self.seed = network, settings, seed
        self.recordings = [resampled(command.audio, RATE).samples for command in commands]
        self.targets = np.array([words.index(command.word) for command in commands])

    def train_dataloader(self) -> Any:
        return _Batches(self)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        features, targets = batch
        logits = self.network(features)
        loss = functional.cross_entropy(logits, targets, label_smoothing=self.options.smoothing)
        self.log("fitness", -loss, on_step=False, on_epoch=True, batch_size=len(features))
        return loss

    def configure_optimizers(self) -> Any:
        rate = self.options.learning_rate
        optimiser = torch.optim.AdamW(self.parameters(), lr=rate, weight_decay=self.options.weight_decay)
        steps = len(_Batches(self)) * self.options.fit.epochs
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Batches:
    """The batches of one epoch, drawn from seed and epoch alone, so that a resumed run repeats them."""

    def __init__(self, task: _Task) -> None:
        self.task = task

    def __len__(self) -> int:
        return max(len(self.task.recordings) // self.task.options.batch, 1)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        task, augmentation = self.task, self.task.options.augmentation
        rng = np.random.default_rng([task.seed, task.current_epoch])
        order = rng.permutation(len(task.recordings))
        for batch in range(len(self)):
            chosen = order[batch * task.options.batch : (batch + 1) * task.options.batch]
            windows = np.stack([varied_samples(task.recordings[row], augmentation, rng) for row in chosen])
            features = varied_features(command_features(windows), augmentation, rng)
            yield torch.from_numpy(features), torch.from_numpy(task.targets[chosen])
