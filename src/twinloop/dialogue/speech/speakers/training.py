"""Trains the speaker encoder with Lightning and writes it as an ONNX graph.

A batch has two windows of each of its speakers, from different recordings: the one must be nearer to its own speaker's
other one than to anybody else's (angular prototypical loss: Chung et al., 2020). Draws follow from seed and epoch
alone.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from twinloop.dialogue.speech.speakers.encoder import INPUT, OUTPUT, PLAIN_PAUSES, SOURCE, TRAINED
from twinloop.dialogue.speech.speakers.network import SpeakerNetwork
from twinloop.dialogue.speech.speakers.settings import SpeakerEncoderSettings, VoiceAugmentationSettings
from twinloop.dialogue.speech.speakers.windows import BANDS, FRAMES, Voiced, speech_mels, speech_samples
from twinloop.errors import InputError
from twinloop.learning.export import to_onnx
from twinloop.learning.fit import fit, one_cycle
from twinloop.learning.signature import Input

Floats = NDArray[np.float32]
# Of the loss: how sharply cosines are told apart at first.
SCALE, OFFSET = 10.0, -5.0
LEAST_SCALE = 1e-3


class TrainedSpeakers(NamedTuple):
    """The network, and by how many speakers it was taught."""

    network: SpeakerNetwork
    speakers: int

    def save(self, path: Path) -> None:
        """Write it as an ONNX graph for `SpeakerEncoder`."""
        to_onnx(
            self.network, (Input(INPUT, (FRAMES, BANDS)),), path=path, outputs=(OUTPUT,), metadata={SOURCE: TRAINED}
        )


def train_speakers(recordings: Sequence[Voiced], settings: SpeakerEncoderSettings, *, seed: int) -> TrainedSpeakers:
    """An encoder that tells the speakers of some recordings apart, and others as far as they differ in the same ways.

    Raises InputError for fewer than two speakers, for one with a single recording, and for one without speech.
    """
    names = sorted({one.speaker for one in recordings})
    _check(recordings, names)
    own = [[one.audio for one in recordings if one.speaker == name] for name in names]
    spoken = [
        [
            speech_samples(audio, PLAIN_PAUSES, name=f"recording {place} of {name}")
            for place, audio in enumerate(given, 1)
        ]
        for name, given in zip(names, own, strict=True)
    ]
    voices = [[_mels(samples, speed) for samples in said] for speed in settings.augmentation.speeds for said in spoken]
    torch.manual_seed(seed)
    network = SpeakerNetwork(width=settings.width, dimensions=settings.dimensions)
    fit(_Task(network, voices, settings, seed=seed), settings.fit, monitor="fitness", seed=seed)
    return TrainedSpeakers(network.eval(), len(names))


def _check(recordings: Sequence[Voiced], names: Sequence[str]) -> None:
    if len(names) < 2:
        raise InputError(
            f"speakers: expected recordings of at least two speakers, got {', '.join(names) or 'none'}: record more"
        )
    counts = {name: sum(one.speaker == name for one in recordings) for name in names}
    single = [name for name, count in counts.items() if count < 2]
    if single:
        raise InputError(
            f"speakers: expected at least two recordings of each speaker, got one of {', '.join(single[:5])}"
            f"{' and others' if len(single) > 5 else ''}: record more, or leave the speaker out"
        )


def _mels(samples: Floats, speed: float) -> Floats:
    """[at least 160, 40] mel spectra of what is spoken, played at another speed."""
    places = np.arange(0, len(samples) - 1, speed)
    played = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return speech_mels(played, frames=FRAMES, filling="wrap")


class _Task(lightning.LightningModule):
    """Fits a network; the logged figure is the negative training loss. voices: recordings' mel spectra by speaker."""

    def __init__(
        self,
        network: SpeakerNetwork,
        voices: Sequence[Sequence[Floats]],
        settings: SpeakerEncoderSettings,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.network, self.voices, self.options, self.seed = network, voices, settings, seed
        self.scale, self.offset = nn.Parameter(torch.tensor(SCALE)), nn.Parameter(torch.tensor(OFFSET))

    def train_dataloader(self) -> Any:
        return _Batches(self)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """batch: [2 · speakers, frames, 40], the first windows of all before the second ones."""
        first, second = self.network(batch).chunk(2)
        logits = self.scale.clamp_min(LEAST_SCALE) * (first @ second.T) + self.offset
        own = torch.arange(len(first), device=first.device)
        loss = (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
        self.log("fitness", -loss, on_step=False, on_epoch=True, batch_size=len(first))
        return loss

    def configure_optimizers(self) -> Any:
        options = self.options
        steps = options.batches * options.fit.epochs
        return one_cycle(self, learning_rate=options.learning_rate, weight_decay=options.weight_decay, steps=steps)


class _Batches:
    """The batches of one epoch, drawn from seed and epoch alone, so that a resumed run repeats them."""

    def __init__(self, task: _Task) -> None:
        self.task = task

    def __len__(self) -> int:
        return self.task.options.batches

    def __iter__(self) -> Iterator[Tensor]:
        task, options = self.task, self.task.options
        rng = np.random.default_rng([task.seed, task.current_epoch])
        many = min(options.speakers, len(task.voices))
        for _ in range(len(self)):
            chosen = [task.voices[place] for place in rng.choice(len(task.voices), many, replace=False)]
            pairs = [rng.choice(len(own), 2, replace=False) for own in chosen]
            windows = [
                _window(own[pair[side]], options.augmentation, rng)
                for side in (0, 1)
                for own, pair in zip(chosen, pairs, strict=True)
            ]
            yield torch.from_numpy(np.stack(windows))


def _window(mels: Floats, settings: VoiceAugmentationSettings, rng: Generator) -> Floats:
    """[160, 40] somewhere in a recording, by another microphone and under noise of a power of the frequency."""
    start = int(rng.integers(0, len(mels) - FRAMES + 1))
    window = mels[start : start + FRAMES] * _slope(rng.uniform(-settings.colour_db, settings.colour_db))
    below_db = rng.uniform(min(settings.noise_db), max(settings.noise_db))
    noise = rng.standard_exponential(window.shape, np.float32) * _slope(rng.uniform(-20, 20))
    return window + np.float32(window.mean() * 10 ** (-below_db / 10) / noise.mean()) * noise


def _slope(end_db: float) -> Floats:
    """[40] powers that fall from as much above 1 to as much below it, or rise."""
    slope: Floats = (10 ** (np.linspace(end_db, -end_db, BANDS) / 10)).astype(np.float32)
    return slope
