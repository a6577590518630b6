"""Small networks of every family, and a check of their exported graphs, for tests of models."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from twinloop.learning.export import to_onnx
from twinloop.vision.graph import INPUT, JUDGED, image_input
from twinloop.vision.models.base import SurfaceDetector
from twinloop.vision.models.registry import new_detector
from twinloop.vision.models.settings import ModelSettings

CLASSES = ("good", "crack", "pit")
SHRUNK = {
    "resnet": ModelSettings(width=8, decoder_width=8),
    "convnext": ModelSettings(encoder="convnext_atto", width=8, depths=(1, 1, 1, 1), decoder_width=8),
    "swin": ModelSettings(
        encoder="swin_tiny_patch4_window7_224", width=16, depths=(2, 1), heads=(1, 2), decoder_width=8
    ),
    "vit": ModelSettings(
        encoder="vit_tiny_patch16_224", width=16, depths=(2,), heads=(2,), patch_px=8, decoder_width=8
    ),
    "efficientvit": ModelSettings(encoder="efficientvit_b0", width=4, depths=(1, 1, 1, 1), decoder_width=8),
    "mobilenetv4": ModelSettings(encoder="mobilenetv4_conv_small_035", width=None, decoder_width=8),
}
# What ExportSettings.fp32_tolerance allows.
TOLERANCE = 2e-4


def detector(
    settings: ModelSettings = SHRUNK["resnet"], *, size: int = 32, channels: int = 1, seed: int = 0
) -> SurfaceDetector:
    """An untrained detector in evaluation mode."""
    return new_detector(settings, classes=CLASSES, size=size, channels=channels, seed=seed).eval()


def export_difference(model: SurfaceDetector, path: Path, *, batch: int) -> float:
    """The largest difference between torch and the graph traced with two images, on a batch of another size."""
    torch.manual_seed(1)
    images = torch.rand(batch, model.channels, model.size, model.size)
    to_onnx(model, (image_input(size=model.size, channels=model.channels),), path=path, outputs=JUDGED, metadata={})
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        pairs = zip(model(images), session.run(None, {INPUT: images.numpy()}), strict=True)
        return max(float(np.abs(ours.numpy() - theirs).max()) for ours, theirs in pairs)
