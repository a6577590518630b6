"""`doctor data` names the layout and what is wrong, says so in its exit status, and writes nothing."""

from pathlib import Path

import pytest

from tests.prognostics.data import written as telemetry
from tests.vision.datasets.images import plain_folder, put, texture
from tests.vision.datasets.written import WRITTEN
from twinloop import cli
from twinloop.vision.datasets.layouts import LAYOUTS


@pytest.fixture(autouse=True)
def _inside_the_project(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)


def test_a_sound_folder_is_told_with_its_layout_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "data", str(WRITTEN["mvtec"](tmp_path / "bottle"))]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "✓ layout     mvtec"
    assert shown[1] == "✓ images     17 in 3 classes, 17 parts; 7 of 7 defective ones with a mask"
    assert [line.split() for line in shown[2:5]] == [
        ["good", "10", "(10", "parts)"], ["crack", "4", "(4", "parts)"], ["hole", "3", "(3", "parts)"]
    ]  # fmt: skip
    assert shown[-1] == "nothing is wrong"


def test_what_is_wrong_is_listed_with_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = plain_folder(tmp_path / "parts", good=60)
    for i in range(50):
        (source / "good" / f"g{i}.png").write_bytes(b"")
    assert cli.main(["doctor", "data", str(source)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert "✗ good/g0.png: file is empty" in shown
    assert shown[-2:] == ["✗ … and 10 more", "50 problems"]


def test_an_unknown_layout_lists_what_was_looked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("no images")
    assert cli.main(["doctor", "data", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    for layout in LAYOUTS:
        assert layout.name in shown
        assert layout.looks_for in shown


def test_settings_are_called_as_in_params(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(4):
        put(tmp_path / "front_1" / f"{i}.png", texture(i))
        put(tmp_path / "front_2" / f"{i}.png", texture(10 + i))
    assert cli.main(["doctor", "data", str(tmp_path)]) == 1
    assert "name what is good: factory.data.good=[front_1]" in capsys.readouterr().out


def test_two_layouts_in_one_folder_are_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WRITTEN["yolo"](tmp_path)
    rows = "".join(f"{i}.jpg,dent\n" for i in range(17))
    (tmp_path / "labels.csv").write_text(f"file,label\n{rows}")
    assert cli.main(["doctor", "data", str(tmp_path)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert "fits the layouts yolo and table: factory.data.kind=yolo" in shown[0]
    assert shown[-1] == "1 problem"


def test_images_without_a_layout_are_told_what_is_near(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "1.png", texture(1))
    assert cli.main(["doctor", "data", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "– near       1 images (1 in .)" in shown
    assert "put them into good/" in shown


def test_another_source_of_the_defects_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(20):
        put(tmp_path / "good" / f"{i}.png", texture(i))
        put(tmp_path / "dent" / f"{i}.jpg", texture(50 + i))
    assert cli.main(["doctor", "data", str(tmp_path)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].startswith("✗ source     Good and defective images do not come from one source")
    assert shown[-1] == "1 problem"


def test_telemetry_is_told_with_its_layout_its_leaks_and_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "data", str(telemetry.ai4i(tmp_path / "pieces.csv"))]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("✓ layout     ai4i")
    assert shown[1].startswith("✓ twin       fleet: `python -m twinloop conf fleet/data=auto fleet.data.source=")
    assert any(line.startswith("✓ telemetry  60 rows of 1 asset") for line in shown)
    assert any(line.startswith("– leaks      Machine failure, TWF, HDF, PWF, OSF, RNF: they give") for line in shown)
    assert shown[-1] == "nothing is wrong"
    assert cli.main(["doctor", "data", str(telemetry.azure(tmp_path / "azure"))]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("✓ layout     azure")
    assert any(line.startswith("✗ data: ") and "zone" in line for line in shown)
    path = telemetry.lines(tmp_path / "mine.csv", "speed,load", "1,2", "2,3")
    assert cli.main(["doctor", "data", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "cmapss" in shown
    assert "– near       mine.csv has no column that is a time: name it timestamp" in shown


def test_wrong_use_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.zip").write_bytes(texture(1).tobytes())
    for arguments, told in (
        (["doctor", "data"], "expected a folder, a zip or a tar after `data`"),
        (["doctor", "data", str(tmp_path / "gone")], "no such file or folder"),
        (["doctor", "data", str(tmp_path / "a.zip")], "expected a folder, a zip or a tar"),
    ):
        assert cli.main(arguments) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert told in lines[0]
