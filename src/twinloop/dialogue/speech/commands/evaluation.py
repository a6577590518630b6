"""How often a recogniser of commands is right, and how it does with a speaker of whom it never heard."""

from collections.abc import Sequence

import numpy as np
import torch

from twinloop.dialogue.speech.commands.features import features_of
from twinloop.dialogue.speech.commands.settings import CommandSettings
from twinloop.dialogue.speech.commands.training import Command, Trained, Variants, train_commands
from twinloop.errors import InputError


def accuracy(trained: Trained, commands: Sequence[Command]) -> float:
    """Share of commands whose word is recognised."""
    features = features_of([command.audio for command in commands])
    with torch.inference_mode():
        likeliest = trained.network(torch.from_numpy(features)).argmax(dim=1).tolist()
    right = [trained.words[place] == command.word for place, command in zip(likeliest, commands, strict=True)]
    return float(np.mean(right))


def leave_one_speaker_out(
    commands: Sequence[Command], variants: Variants, settings: CommandSettings, *, seed: int
) -> dict[str, float]:
    """Accuracy at each speaker by a recogniser that learnt from all others.

    variants: of all commands, in their order. Raises InputError for a single speaker.
    """
    speakers = sorted({command.speaker for command in commands})
    if len(speakers) < 2:
        raise InputError(f"commands: expected recordings of at least two speakers, got {', '.join(speakers) or 'none'}")
    accuracies = {}
    for speaker in speakers:
        trained = train_commands(variants.where([one.speaker != speaker for one in commands]), settings, seed=seed)
        accuracies[speaker] = accuracy(trained, [one for one in commands if one.speaker == speaker])
    return accuracies
