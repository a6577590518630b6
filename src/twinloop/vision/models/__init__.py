"""Networks that look at surfaces: timm encoders and the detectors made of them."""
