"""A stage gets the sections that dvc.yaml declares for it, and no other."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from twinloop.config import settings
from twinloop.config.sections import load
from twinloop.errors import InputError


@settings
class Train:
    epochs: Annotated[int, Field(ge=1)]


@settings
class Line:
    buffers: tuple[int, ...]


@settings
class Plant:
    train: Train
    line: Line


@settings
class Config:
    seed: Annotated[int, Field(ge=0)]
    plant: Plant


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n  plant-train:\n    cmd: 'true'\n    params:\n      - seed\n      - plant.train\n"
        "  plant-record:\n    cmd: 'true'\n    params:\n      - plant\n",
        encoding="utf-8",
    )
    (tmp_path / "params.yaml").write_text(
        "seed: 1\nplant:\n  train:\n    epochs: 3\n  line:\n    buffers: [2, 4]\n", encoding="utf-8"
    )
    return tmp_path


def test_declared_sections_come_validated(root: Path) -> None:
    config = load(root, "plant-train", Config)
    assert config.seed == 1
    assert config.plant.train == Train(epochs=3)
    assert load(root, "plant-record", Config).plant == Plant(train=Train(epochs=3), line=Line(buffers=(2, 4)))


def test_an_undeclared_section_is_not_handed_out(root: Path) -> None:
    config = load(root, "plant-train", Config)
    with pytest.raises(InputError, match="plant-train: reads the section 'line', which dvc.yaml does not declare"):
        _ = config.plant.line
    with pytest.raises(InputError, match="'seed'"):
        _ = load(root, "plant-record", Config).seed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("epochs: 3", "epochs: 0", r"conf: plant\.train\.epochs = 0: expected an integer ≥ 1 \(params\.yaml:4\)"),
        ("epochs: 3", "epoch: 3", r"plant\.train\.epoch = 3: unknown key; did you mean 'epochs'\?"),
        ("seed: 1", "seed: -1", r"seed = -1: expected an integer ≥ 0 \(params\.yaml:1\)"),
        ("  train:\n    epochs: 3\n", "", r"plant\.train: missing; run `python -m twinloop conf`"),
        ("seed: 1", "seed: [", "expected YAML"),
    ],
)
def test_a_wrong_params_file_is_one_line_with_its_place(root: Path, old: str, new: str, told: str) -> None:
    params = root / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=told) as caught:
        load(root, "plant-train", Config)
    assert "\n" not in str(caught.value)


def test_a_missing_params_file_names_the_command_that_makes_it(root: Path) -> None:
    (root / "params.yaml").unlink()
    with pytest.raises(InputError, match="run `python -m twinloop conf`"):
        load(root, "plant-train", Config)


def test_an_unknown_stage_is_named_with_those_there_are(root: Path) -> None:
    with pytest.raises(InputError, match="no stage 'plant-trian'; known: plant-train, plant-record"):
        load(root, "plant-trian", Config)
