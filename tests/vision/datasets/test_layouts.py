"""Every layout is recognised, also in an archive with a folder around it all, and prepared with a data card."""

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tests.vision.datasets.images import put, texture
from tests.vision.datasets.written import WRITTEN
from twinloop.errors import InputError
from twinloop.vision.datasets.build import Prepared, build
from twinloop.vision.datasets.layouts import BY_NAME, recognised
from twinloop.vision.datasets.settings import DatasetSettings

# Those that come with a train and a test set.
DIVIDED = ("coco", "dagm", "deep_pcb", "kolektor_sdd2", "mvtec", "table", "visa", "voc", "yolo")


def prepared(source: Path, target: Path, **changed: object) -> Prepared:
    settings = DatasetSettings(**({"kind": "auto", "source": str(source)} | changed))  # type: ignore[arg-type]
    return build(settings, source, target, seed=1, workers=1)


def zipped(folder: Path, archive: Path, *, below: str) -> Path:
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, f"{below}{path.relative_to(folder)}")
    return archive


def test_there_is_a_fixture_for_every_layout() -> None:
    assert set(WRITTEN) == set(BY_NAME)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_layout_is_recognised_and_so_is_its_archive(tmp_path: Path, name: str) -> None:
    source = WRITTEN[name](tmp_path / "source")
    found = recognised(source)
    assert found is not None
    assert found.name == name
    from_folder = prepared(source, tmp_path / "a")
    archive = zipped(source, tmp_path / "parts.zip", below="download/v1/")
    from_zip = prepared(archive, tmp_path / "b")
    named = prepared(source, tmp_path / "c", kind=name)
    assert from_folder.layout == from_zip.layout == named.layout == name
    assert from_folder.digest == from_zip.digest == named.digest
    assert from_folder.quarantine == ()
    assert set(from_folder.index["split"]) == {"train", "val", "test"}
    card = (tmp_path / "a" / "card.md").read_text()
    assert card.startswith(f"# Data card: {name.replace('_', chr(92) + '_')}\n")
    assert "Division: drawn by part" in card
    origin = card.partition("## Origin and licence\n\n> ")[2].partition("\n\n")[0]
    assert len(origin) > 10


@pytest.mark.parametrize("name", WRITTEN)
def test_the_division_that_came_is_kept_or_said_to_be_missing(tmp_path: Path, name: str) -> None:
    source = WRITTEN[name](tmp_path / "source")
    if name not in DIVIDED:
        with pytest.raises(InputError, match="came undivided, use DatasetSettings.division=made"):
            prepared(source, tmp_path / "d", division="given")
        return
    index = prepared(source, tmp_path / "d", division="given").index
    assert set(index["split"]) == {"train", "val", "test"}
    assert "Division: train and test are those that came" in (tmp_path / "d" / "card.md").read_text()
    trained_on = set(index.filter(pl.col("split") == "train")["label"])
    assert (trained_on == {"good"}) == (name in ("mvtec", "visa"))


def test_an_image_in_both_sets_of_a_division_that_came_is_a_leak(tmp_path: Path) -> None:
    source = WRITTEN["mvtec"](tmp_path / "source")
    put(source / "test" / "good" / "099.png", texture(0))
    with pytest.raises(InputError, match=r"part 'test/good/099\.png' is in .*it leaks, use DatasetSettings.div"):
        prepared(source, tmp_path / "d", division="given")
    assert prepared(source, tmp_path / "d").index["group"].n_unique() == 17


HOSTILE = "<script>alert(1)</script>"


def test_hostile_names_of_classes_and_files_appear_as_text_only(tmp_path: Path) -> None:
    source = WRITTEN["coco"](tmp_path / "source")
    path = source / "annotations" / "instances_train.json"
    content = json.loads(path.read_text().replace('"dent"', f'"{HOSTILE}"'))
    content["images"].append({"id": 900, "file_name": f"{HOSTILE}\u001b.png"})
    content["images"].append({"id": 901, "file_name": "x" * 5000})
    path.write_text(json.dumps(content))
    result = prepared(source, tmp_path / "d", quarantine_share=0.2)
    assert "_script_alert_1_script_" in set(result.index["label"])
    assert [name[:12] for name, _ in result.quarantine] == ["<script>aler", "xxxxxxxxxxxx"]
    card = (tmp_path / "d" / "card.md").read_text()
    assert "<script" not in card
    assert "\x1b" not in card


def test_a_single_sample_of_a_class_is_trained_on_and_said_to_be_untested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = WRITTEN["mvtec"](tmp_path / "source")
    put(source / "test" / "dent" / "000.png", texture(900))
    index = prepared(source, tmp_path / "d").index
    assert index.filter(pl.col("label") == "dent")["split"].to_list() == ["train"]
    assert "class 'dent' has 1 independent parts and is absent from val and test" in capsys.readouterr().err


@pytest.mark.parametrize("name", WRITTEN)
def test_every_part_is_the_test_set_of_one_fold(tmp_path: Path, name: str) -> None:
    source = WRITTEN[name](tmp_path / "source")
    tested: list[str] = []
    for fold in range(3):
        index = prepared(source, tmp_path / "d", folds=3, fold=fold).index
        tested += index.filter(pl.col("split") == "test")["image"].to_list()
    assert sorted(tested) == sorted(index["image"])
    assert "test is fold 2 of 3" in (tmp_path / "d" / "card.md").read_text()


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "folder"])
def test_a_layout_that_is_asked_for_and_not_there_is_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path / "source" / "pictures" / "1.png", texture(1))
    with pytest.raises(InputError, match=r"source: expected .*, found pictures: see DatasetSettings\.source"):
        prepared(tmp_path / "source", tmp_path / "d", kind=name)


def test_an_unknown_layout_is_refused_with_what_to_type_next(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(InputError, match="no known layout .*`python -m twinloop doctor data`"):
        prepared(tmp_path / "source", tmp_path / "d")


def test_one_category_is_chosen_and_a_wrong_one_named(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("bottle", "cable"):
        WRITTEN["mvtec"](source / name)
    put(source / "cable" / "train" / "good" / "000.png", texture(77))
    both = prepared(source, tmp_path / "d", kind="mvtec", quarantine_share=1.0).index
    assert {"bottle crack", "cable hole"} & set(both["label"])
    one = prepared(source, tmp_path / "d", category="cable").index
    assert set(one["label"]) == {"good", "crack", "hole"}
    with pytest.raises(InputError, match="to be one of bottle, cable, found 'table'"):
        prepared(source, tmp_path / "d", category="table")
    with pytest.raises(InputError, match="layout folder holds one object only, found 'cable'"):
        prepared(WRITTEN["folder"](tmp_path / "plain"), tmp_path / "d", category="cable")
