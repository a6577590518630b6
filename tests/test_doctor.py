"""`doctor data` names the layout and what is wrong, says so in its exit status, and writes nothing."""

import zipfile
from pathlib import Path

import pytest

from tests.prognostics.data import written as telemetry
from tests.vision.datasets.images import plain_folder, put, texture
from tests.vision.datasets.written import WRITTEN
from twinloop import cli
from twinloop.dialogue.synthetic.person import person, write_person
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.doctor import Finding, findings
from twinloop.learning import weights
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
    (tmp_path / "notes.xyz").write_text("no images")
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


def test_a_folder_without_images_and_a_single_good_part_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert cli.main(["doctor", "data", str(tmp_path / "empty.zip")]) == 1
    assert "– near       no file in it is an image that is read" in capsys.readouterr().out
    assert cli.main(["doctor", "data", str(plain_folder(tmp_path / "mine", good=1))]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[2].split() == ["good", "1", "(1", "part)"]
    assert any(line.startswith("✗ good images show 1 part, expected at least 3") for line in shown)


def test_lists_of_parts_and_configurations_are_no_telemetry_beside_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = plain_folder(tmp_path / "mine")
    (source / "groups.csv").write_text("file,group\ngood/g0.png,A\ngood/g1.png,A\n")
    (source / "config.json").write_text("[]")
    assert cli.main(["doctor", "data", str(source)]) == 0
    assert "beside the pictures" not in capsys.readouterr().out
    (source / "press.csv").write_text("time,force\n1,2\n")
    assert cli.main(["doctor", "data", str(source)]) == 0
    assert "– tables     1 beside the pictures" in capsys.readouterr().out


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


def told(path: Path, capsys: pytest.CaptureFixture[str], *settings: str) -> tuple[int, list[str]]:
    status = cli.main(["doctor", "data", str(path), *settings])
    return status, capsys.readouterr().out.splitlines()


def test_a_persons_folder_is_told_with_its_layout_and_contents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_person(person(PersonSettings(documents=12, messages=20, meetings=1), seed=3), tmp_path / "ada")
    assert any(
        "person.data.reading.calendar.until to the last day" in line for line in told(tmp_path / "ada", capsys)[1]
    )
    status, shown = told(tmp_path / "ada", capsys, "person.data.reading.calendar.until=2027-01-01")
    assert status == 0
    assert shown[0].startswith("✓ layout     person (profile.json beside documents/")
    assert shown[1].startswith("✓ twin       person: `python -m twinloop conf person/data=auto person.data.source=")
    assert "✓ documents  12" in shown
    assert "✓ messages   20" in shown
    assert shown[-1] == "nothing is wrong"


def test_documents_are_a_persons_where_nothing_else_claims_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers/oven.txt").write_text("The oven runs hot.")
    (tmp_path / "papers/copy.md").write_text("The oven runs hot.")
    for path in (tmp_path / "papers", tmp_path / "papers/oven.txt"):
        status, shown = told(path, capsys)
        assert status == 0
        assert shown[0].startswith("✓ layout     documents")
        assert any("near person: it lacks a profile.json" in line for line in shown)
    assert told(tmp_path / "papers", capsys)[1].count("– document given twice: 1") == 1
    # Telemetry and pictures are asked first.
    telemetry.ai4i(tmp_path / "papers/pieces.csv")
    assert told(tmp_path / "papers", capsys)[1][0].startswith("✓ layout     ai4i")


def test_settings_of_reading_may_be_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Fair\r\nDTSTART:20270301T090000\r\nDTEND:20270301T100000\r\nEND:VEVENT"
    path = tmp_path / "mine.ics"
    path.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}\r\nEND:VCALENDAR\r\n")
    status, shown = told(path, capsys)
    assert status == 1
    assert any("person.data.reading.calendar.zone" in line for line in shown)
    status, shown = told(path, capsys, "person.data.reading.calendar.zone=Europe/Berlin")
    assert status == 0
    assert "✓ events     1" in shown
    for setting, line in {
        "person.data.reading.calendar.clock_change=never": "doctor: person.data.reading.calendar.clock_change =",
        "person.data.reading.zone=x": "doctor: person.data.reading.zone",
        "person.seed=1": "doctor: person.seed: expected a setting of reading: one below factory.data.",
        "zone": "doctor: zone: expected KEY=VALUE",
    }.items():
        assert cli.main(["doctor", "data", str(path), setting]) == 2
        assert capsys.readouterr().err.startswith(line)


def findings_of_person(root: Path) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings(root, ["person"])}


def test_weights_and_synthesisers_are_told_with_what_each_gap_costs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "_package_folder", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda program: None if program in ("flite", "espeak-ng") else "/usr/bin/git")
    found = findings_of_person(repository)
    for what, cost in {
        "encoder weights": "not installed: `make setup`; without them questions",
        "hearing weights": "PocketSphinx",
        "speaker weights": "by an encoder that is trained here",
        "flite": "missing: replies stay text",
        "espeak-ng": "by fewer voices",
    }.items():
        assert not found[what].ok
        assert not found[what].needed
        assert cost in found[what].told


def test_a_weight_with_a_flipped_byte_is_told(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"another byte")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "_package_folder", lambda _: tmp_path)
    told = findings_of_person(repository)["encoder weights"]
    assert not told.ok
    assert "model.safetensors is not what was published" in told.told
    assert "person/providers=embedded" in told.told


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
