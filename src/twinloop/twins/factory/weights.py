"""Where the factory looks for weights of the registry, and where it keeps what it read."""

from pathlib import Path

from twinloop.learning.weights import Places
from twinloop.vision.models.settings import ModelSettings

# Beside the state of killed runs; any run may write it again.
FOLDER = "weights"
REMEDY = "run make setup, or choose factory/weights=none"


def with_weights(model: ModelSettings, state: Path) -> ModelSettings:
    """`model` whose weights of the registry lie beside `state`. Raises RunError where they cannot be had."""
    if not model.pretrained:
        return model
    from twinloop.vision.models.pretrained import located

    return located(model, Places(remedy=REMEDY), cache=state.parent / FOLDER)
