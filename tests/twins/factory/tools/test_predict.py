"""The tools predict and camera on a repository whose export and evaluate stages have run."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.vision.synthetic_graph import spotted, write_detector, write_point
from twinloop import cli
from twinloop.twins.factory import paths


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a detector, its operating point and three images, one of them broken; also the current one."""
    (tmp_path / "dvc.yaml").write_text("")
    write_detector(tmp_path / paths.ONNX)
    write_point(tmp_path / paths.EVALUATION / "operating_point.json", tmp_path / paths.ONNX)
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / "images" / "dark.png")
    Image.fromarray(spotted(64)).save(tmp_path / "images" / "spot.png")
    (tmp_path / "images" / "broken.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_a_folder_is_summed_up_and_its_broken_file_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", "images", "--out", "findings.csv"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[:3] == ["3 images, 1 unreadable", "accept 1, re-inspect 0, reject 1", "good 1, spot 1"]
    assert "predict: broken.png: file is empty" in told.err
    assert pl.read_csv("findings.csv")["image"].to_list() == ["broken.png", "dark.png", "spot.png"]


@pytest.mark.usefixtures("project")
def test_one_image_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", "images/spot.png"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("spot.png: reject: spot, confidence 0.9")
    assert told.endswith("boxes: 16×16 at (32, 16)\n")


@pytest.mark.usefixtures("project")
def test_findings_are_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", "images", "--json", "--tile", "32"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"]["unreadable"] == 1
    assert told["images"][2]["boxes"] == [[32, 16, 16, 16]]


def test_without_an_operating_point_it_says_that_nothing_is_decided(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", "images/spot.png", "--model", str(project / paths.ONNX)]) == 0
    told = capsys.readouterr()
    assert "no operating point" in told.err
    assert told.out.startswith("spot.png: undecided: spot")


@pytest.mark.parametrize(
    ("given", "status", "line"),
    [
        (["images/broken.png"], 2, "predict: none of 1 image(s) can be read; broken.png: file is empty"),
        (["nowhere"], 2, "predict: nowhere: expected a folder of images or an image, found neither"),
        (["images", "--out", "findings.txt"], 2, "expected a file name that ends in .parquet, .csv or .json"),
        (["images", "--model", "nowhere"], 2, "model: nowhere/spec.json: expected an exported model, found none"),
        (["images", "--point", "nowhere.json"], 2, "model: nowhere.json: expected an operating point, found none"),
        (["images", "--tile", "30"], 2, "tiles: tile_px = 30: expected a multiple of 8"),
        (["images", "--backend", "torch", "--model", "x"], 2, "leave out --model"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_is_refused_in_one_line(
    given: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", *given]) == status
    assert line in capsys.readouterr().err.splitlines()[-1]


def test_a_graph_altered_after_export_stops_the_tool_in_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = project / paths.ONNX / "detector_fp32.onnx"
    graph.write_bytes(graph.read_bytes() + b"\0")
    assert cli.main(["predict", "images"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"model: {graph}: altered after export")


@pytest.mark.usefixtures("project")
def test_a_camera_reports_what_became_of_its_frames(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["camera", "images", "--takt-s", "0.004", "--frames", "20", "--json"]) == 0
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert report["inspected"] + report["missed"] == report["frames"] == 20
    assert set(report["findings"]) <= {"accept", "reinspect", "reject"}
    assert "camera: left out: images/broken.png: file is empty" in told.err
    assert cli.main(["camera", "images", "--takt-s", "0.004", "--frames", "20"]) == 0
    assert capsys.readouterr().out.startswith("20 frames, one every 4 ms, ")


@pytest.mark.usefixtures("project")
def test_a_takt_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["camera", "images", "--takt-s", "0"]) == 2
    assert "expected takt_s > 0" in capsys.readouterr().err


def test_pictures_unlike_anything_learnt_are_counted_and_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_detector(project / paths.ONNX, limit=0.5)
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save(project / "images" / "white.png")
    assert cli.main(["predict", "images"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "accept 1, re-inspect 1, reject 1" in told
    assert "1 unlike anything learnt: look at camera, light and part (column reason)" in told
    assert cli.main(["predict", "images/white.png"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("white.png: re-inspect: spot")
    assert told.endswith("; unlike anything learnt: score 1, limit 0.5\n")
    assert cli.main(["camera", "images", "--takt-s", "0.2", "--frames", "6", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["unlike"], report["findings"]["re-inspect"]) == (2, 2)
