"""Parts: told by groups.csv in every layout, by a pattern, or remarked where names look like views of one part."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vision.datasets.images import plain_folder, put, texture
from tests.vision.datasets.written import WRITTEN
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings

REMARK = "named like views of"


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(**({"kind": "auto"} | changed)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", WRITTEN)
def test_groups_are_read_in_every_layout(tmp_path: Path, name: str) -> None:
    source = WRITTEN[name](tmp_path)
    first, second = (sample.name for sample in read(source).samples[:2])
    root = layouts.BY_NAME[name].locate(source)
    assert root is not None
    (root / "groups.csv").write_text(f"file,group\n{first},part 7\n{second},part 7\n")
    found = read(source)
    assert found.layout == name
    assert [sample.group for sample in found.samples[:2]] == ["part 7", "part 7"]


def named(*names: str) -> Callable[[Path], Path]:
    def write(root: Path) -> Path:
        for place, name in enumerate(names):
            put(root / ("good" if place % 2 else "dent") / f"{name}.png", texture(place))
        return root

    return write


VIEWS = [f"{part:04d}{end}" for part in range(4) for end in ("_cam1", "_cam1", "_cam2", "_cam2")]
LETTERS = [f"{part}{end}" for part in range(4) for end in ("a", "a", "b", "b")]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (VIEWS, r"(0000_cam1, 0000_cam2) and count as parts of their own: DatasetSettings.part='^(.+?)_cam'"),
        (LETTERS, "(0a, 0b)"),
        ([f"{i:04d}" for i in range(12)], ""),
        ([f"20240101_{i:04d}" for i in range(30)], ""),
        ([f"scratch_{i}" for i in range(12)], ""),
        ([f"{kind}_{i}" for kind in ("pit", "dent") for i in range(6)], ""),
    ],
)
def test_names_like_views_are_remarked_and_no_others(tmp_path: Path, names: list[str], told: str) -> None:
    notes = [note for note in read(named(*names)(tmp_path)).notes if REMARK in note]
    assert len(notes) == bool(told)
    assert told in "".join(notes)


def test_the_proposed_pattern_joins_the_views(tmp_path: Path) -> None:
    found = read(named(*VIEWS)(tmp_path), part="^(.+?)_cam")
    assert {sample.group for sample in found.samples} == {"0000", "0001", "0002", "0003"}
    assert not any(REMARK in note for note in found.notes)


def test_a_pattern_that_fits_nothing_or_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"DatasetSettings\.part '\^\(x\)' fits no file name; the first is dent/0000"):
        read(named(*VIEWS)(tmp_path), part="^(x)")
    for pattern, told in (("(", "a regular expression"), ("^.+_cam", "one group in brackets")):
        with pytest.raises(InputError, match=told):
            DatasetSettings(part=pattern)


@pytest.mark.parametrize(
    "content",
    [
        b"file;group\ngood/g0.png;A\ngood/g1.png;A\n",
        b"sep=;\r\nFile;Group\r\ngood/g0.png;A\r\n\r\ngood/g1.png;A\r\n",
        "file\tgroup\tnote\ngood/g0.png\tA\tfür ann\ngood\\g1.png\tA\n".encode("utf-16"),
    ],
)
def test_groups_are_read_as_spreadsheets_save_them_and_what_they_leave_out_is_told(
    tmp_path: Path, content: bytes
) -> None:
    (plain_folder(tmp_path) / "groups.csv").write_bytes(content)
    found = read(tmp_path)
    assert [sample.group for sample in found.samples][:3] == ["A", "A", "good/g2.png"]
    assert "groups.csv does not list 12 of 14 images: they keep the part they have without it." in found.notes


def test_groups_may_lie_around_the_folder_that_holds_everything(tmp_path: Path) -> None:
    plain_folder(tmp_path / "export" / "mine")
    (tmp_path / "groups.csv").write_text("file,group\nexport/mine/good/g0.png,A\nexport/mine/scratch/s0.png,A\n")
    found = read(tmp_path)
    assert [sample.name for sample in found.samples if sample.group == "A"] == ["good/g0.png", "scratch/s0.png"]
