"""A small convolution network over log-mel spectra: 50 000 weights, a millisecond on one core."""

import torch
from torch import Tensor, nn


class CommandNetwork(nn.Module):
    """Features [B, 40, 49] → logits [B, words]."""

    def __init__(self, words: int, *, width: int, dropout: float) -> None:
        super().__init__()
        widths = (width, 2 * width, 3 * width, 4 * width)
        self.layers = nn.Sequential(
            _layer(1, widths[0], kernel=5, stride=2),
            _layer(widths[0], widths[1], kernel=3, stride=2),
            _layer(widths[1], widths[2], kernel=3, stride=2),
            _layer(widths[2], widths[3], kernel=3, stride=1),
        )
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(2 * widths[3], words)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layers(x.unsqueeze(1))
        pooled = torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.head(self.drop(pooled))
        return logits


def _layer(entering: int, leaving: int, *, kernel: int, stride: int) -> nn.Module:
    convolution = nn.Conv2d(entering, leaving, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(leaving), nn.ReLU())
