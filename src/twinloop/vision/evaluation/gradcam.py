"""Which places spoke for a defect: GradCAM (Selvaraju et al. 2017), by captum, on the last maps before the head.

These are the decoder's, which hold all of the encoder's stages at a quarter of the image's side. The encoder's own last
maps say nothing here: on defects of a few pixels, 32 pixels apart, every weight came out negative.
"""

from captum.attr import LayerGradCam
from torch import Tensor

from twinloop.vision.models.base import anomaly_score
from twinloop.vision.models.detector import Detector


def gradcam(detector: Detector, images: Tensor) -> Tensor:
    """Maps [N, h, w] ≥ 0 of the log odds of "any defect"; images [N, C, size, size] in 0…1."""
    explained = LayerGradCam(lambda batch: anomaly_score(detector(batch)[0]), detector.decoder)
    maps: Tensor = explained.attribute(images, relu_attributions=True)
    return maps[:, 0].detach()
