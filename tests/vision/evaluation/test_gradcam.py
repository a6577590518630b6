import pytest
import torch

from twinloop.vision.evaluation.gradcam import gradcam
from twinloop.vision.models.base import anomaly_score
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.settings import ModelSettings


@pytest.mark.parametrize("encoder", ["resnet10t", "convnext_atto"])
def test_gradcam_weighs_channels_by_their_mean_gradient(encoder: str) -> None:
    torch.manual_seed(0)
    settings = ModelSettings(size_px=32, encoder=encoder, width=8, decoder_width=8)  # type: ignore[arg-type]
    detector = Detector(settings, classes=("good", "crack", "pit"), size=32, channels=1).eval()
    images, kept = torch.rand(3, 1, 32, 32), []
    handle = detector.decoder.register_forward_hook(lambda *call: kept.append(call[-1]))
    score = anomaly_score(detector(images)[0])
    handle.remove()
    gradient = torch.autograd.grad(score.sum(), kept[0])[0]
    expected = (gradient.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).clamp_min(0).detach()
    found = gradcam(detector, images)
    assert found.shape == (3, 8, 8)
    assert found == pytest.approx(expected.numpy(), abs=1e-6)
    assert expected.max() > 0
