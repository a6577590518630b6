"""What a person's stages refuse, each in one line that says what to do."""

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.twins.person.small_loop import run
from tests.twins.small_loop import CONF
from twinloop.config import Invalid, parse
from twinloop.config.compose import compose
from twinloop.dialogue.models.minilm import MINILM
from twinloop.dialogue.synthetic.person import person, write_person
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.errors import InputError, RunError
from twinloop.files import read_json, write_json
from twinloop.twins.person import paths
from twinloop.twins.person.config import PersonConfig

RECORDED = "person.data.kind=recorded"
SILENT = "person.data.speaking.questions=0"


def of(source: Path) -> str:
    return f"person.data.source={source}"


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """The person's part of conf/ under profile smoke, as it is written."""
    composed = compose(CONF, ("profile=smoke",)).values
    return {key: composed[key] for key in ("profile", "seed", "person")}


@pytest.mark.parametrize(
    ("name", "dimension", "told"),
    [
        ("retrieval.colour", {"kind": "float", "low": 0.0, "high": 1.0}, "nothing of that name"),
        ("colour", {"kind": "float", "low": 0.0, "high": 1.0}, "nothing of that name"),
        ("lexical.b", {"kind": "float", "low": 0.0, "high": 3.0}, "lexical.b = 3.0"),
        ("chunks.words", {"kind": "int", "low": 20, "high": 90}, "overlap = 30"),
    ],
)
def test_a_space_beyond_the_settings_of_finding_is_refused(
    values: dict[str, Any], name: str, dimension: dict[str, Any], told: str
) -> None:
    given = copy.deepcopy(values)
    given["person"]["tune"]["space"] = {name: dimension}
    with pytest.raises(Invalid, match=told):
        parse(PersonConfig, given)


@pytest.mark.parametrize(("slider", "value"), [("humour", 1.2), ("formality", -0.1)])
def test_a_slider_beyond_its_ends_is_refused(values: dict[str, Any], slider: str, value: float) -> None:
    given = copy.deepcopy(values)
    given["person"]["persona"][slider] = value
    with pytest.raises(Invalid, match=f"person.persona.{slider} = {value}"):
        parse(PersonConfig, given)


def test_a_person_without_documents_and_meetings_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "someone"
    write_json(source / "profile.json", {"name": "Ada"})
    with pytest.raises(InputError, match="holds no document and no meeting") as refused:
        run(tmp_path, RECORDED, of(source), stages=("prepare",))
    assert len(str(refused.value)) <= 300


def test_a_source_that_is_nothing_known_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "someone"
    source.mkdir()
    (source / "table.xyz").write_bytes(b"\x00\x01")
    with pytest.raises(InputError, match="expected one of person, qmsum"):
        run(tmp_path, RECORDED, of(source), stages=("prepare",))


def test_a_source_whose_splits_leak_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "someone"
    write_person(person(PersonSettings(documents=12, pages=1, messages=20, meetings=0), seed=1), source)
    (source / "calendar.ics").unlink()
    questions = read_json(source / "questions.json")
    template = next(one["template"] for one in questions if one["split"] == "train")
    next(one for one in questions if one["split"] == "test")["template"] = template
    write_json(source / "questions.json", questions)
    with pytest.raises(InputError, match=f"template '{template}' is on several sides"):
        run(tmp_path, RECORDED, of(source), SILENT, stages=("prepare",))


@pytest.mark.parametrize(
    ("stage", "told"), [("tune", "prepare stage"), ("train", "prepare stage"), ("evaluate", "prepare stage")]
)
def test_a_stage_without_what_it_reads_names_the_stage_to_run(tmp_path: Path, stage: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        run(tmp_path, stages=(stage,))


def test_a_weight_file_that_is_not_what_was_published_names_the_way_out(
    person_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MINILM.files, "model.safetensors", "0" * 64)  # type: ignore[misc]
    with pytest.raises(RunError, match="person/providers=embedded") as refused:
        run(person_root, stages=("export",))
    assert "\n" not in str(refused.value)


def test_values_that_were_tuned_for_another_index_are_refused(person_root: Path, tmp_path: Path) -> None:
    (tmp_path / paths.DATASET).parent.mkdir(parents=True)
    (tmp_path / paths.DATASET).symlink_to(person_root / paths.DATASET)
    write_json(tmp_path / paths.TUNED, {"source": "tuned", "values": {"retrieval.colour": 1}})
    with pytest.raises(InputError, match="do not fit the configured index"):
        run(tmp_path, stages=("train",))
