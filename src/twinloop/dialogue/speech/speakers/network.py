"""A small speaker encoder: convolutions over time, pooled by attention (Okabe et al., 2018), and a projection."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.dialogue.speech.speakers.windows import BANDS

# Of the mean level of a window: what is below counts as silence.
FLOOR = 1e-4
TINY = 1e-6


class SpeakerNetwork(nn.Module):
    """Mel spectra [B, frames, 40] → vectors [B, dimensions] of unit length, however loud the recording is."""

    def __init__(self, *, width: int, dimensions: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _layer(BANDS, width, kernel=5, stride=2),
            _layer(width, width, kernel=3, dilation=2),
            _layer(width, width, kernel=3, dilation=3),
        )
        self.attention = nn.Sequential(nn.Conv1d(width, width // 2, 1), nn.Tanh(), nn.Conv1d(width // 2, width, 1))
        self.head = nn.Sequential(nn.BatchNorm1d(2 * width), nn.Linear(2 * width, dimensions))

    def forward(self, mels: Tensor) -> Tensor:
        levels = torch.log(mels / (mels.mean(dim=(1, 2), keepdim=True) + 1e-12) + FLOOR)
        h = self.layers(levels.transpose(1, 2))
        weights = self.attention(h).softmax(dim=2)
        mean = (weights * h).sum(dim=2)
        spread = ((weights * h * h).sum(dim=2) - mean * mean).clamp_min(TINY).sqrt()
        return functional.normalize(self.head(torch.cat((mean, spread), dim=1)))


def _layer(entering: int, leaving: int, *, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Module:
    padding = dilation * (kernel // 2)
    convolution = nn.Conv1d(entering, leaving, kernel, stride=stride, padding=padding, dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm1d(leaving), nn.ReLU())
