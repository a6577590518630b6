"""Explanations that need the trained network itself and torch; those of an ensemble are its members' mean.

Imported by the evaluate stage only where they are asked for: torch and timm cost seconds.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinloop.errors import InputError
from twinloop.vision.evaluation.attention import attention_rollout, has_attention
from twinloop.vision.evaluation.gradcam import gradcam
from twinloop.vision.evaluation.settings import Method
from twinloop.vision.inference.predict import to_input
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.saving import load_detector

BATCH = 16
FROM_NETWORK = {"rollout": attention_rollout, "gradcam": gradcam}


class Network:
    """A trained detector's encoder, explained; `folder` is what the train stage wrote.

    Raises InputError for a detector that learns no weights: it has nothing to explain beside its heat map.
    """

    def __init__(self, folder: str | Path, *, threads: int) -> None:
        loaded = load_detector(folder)
        members = [loaded] if isinstance(loaded, Detector) else list(getattr(loaded, "members", ()))
        self._members = [member for member in members if isinstance(member, Detector)]
        self._threads = threads
        if not self._members:
            raise InputError(
                f"evaluate: {folder}: a {loaded.settings.kind} detector has no network to explain: "
                "set ExplanationSettings.methods to [heat]"
            )

    def maps(self, images: NDArray[np.uint8], method: Method) -> tuple[str, NDArray[np.float64]]:
        """The method's own name, and its map [N, h, w] ≥ 0 of images [N, size, size, C], each of sum 1 or all zero.

        network takes rollout where the encoder has attention, else GradCAM. Raises InputError for rollout without.
        """
        attentive = has_attention(self._members[0].encoder)
        name = ("rollout" if attentive else "gradcam") if method == "network" else method
        if name == "rollout" and not attentive:
            raise InputError(
                f"evaluate: {self._members[0].settings.encoder} has no attention that rollout knows: "
                "take gradcam, or network for whichever suits"
            )
        explain = FROM_NETWORK[name]
        before = torch.get_num_threads()
        torch.set_num_threads(self._threads)
        try:
            inputs = torch.from_numpy(to_input(images))
            parts = [inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH)]
            by_member = [torch.cat([_shares(explain(member, part)) for part in parts]) for member in self._members]
        finally:
            torch.set_num_threads(before)
        return name, torch.stack(by_member).mean(dim=0).numpy().astype(np.float64)


def _shares(maps: Tensor) -> Tensor:
    return maps / maps.sum(dim=(1, 2), keepdim=True).clamp_min(1e-12)
