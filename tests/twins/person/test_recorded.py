"""Whatever a person has recorded goes through the same stages: with questions about it, and without."""

import subprocess
import sys
from pathlib import Path

import polars as pl

from tests.conftest import ROOT
from tests.twins.person.small_loop import run
from twinloop.files import read_json, sha256
from twinloop.twins.person import paths

TEXTS = {
    "oven.txt": "The oven is cleaned on Mondays.\nIts key hangs in the blue office.\nNobody else may open it.\n",
    "train.txt": "My train leaves at seven.\nThe ticket is kept in the red folder.\nIt is valid until May.\n",
    "garden.md": "# Garden\n\nThe hedge is cut in March.\nAda owns the ladder.\nThe shed is locked at night.\n",
    "car.html": "<p>The car was serviced in June.</p><p>It costs 300 euros.</p><p>The tyres are new.</p>",
}
OVERRIDES = (
    "person/providers=embedded",
    "person.providers.speech_to_text.name=none",
    "person.providers.text_to_speech.name=none",
    "person.data.kind=recorded",
    "person.data.speaking.programs=[]",
    "person.evaluate.turns=4",
)


def test_documents_about_which_nobody_asks_anything_still_talk(tmp_path: Path) -> None:
    source = tmp_path / "texts"
    source.mkdir()
    for name, text in TEXTS.items():
        (source / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "tests.twins.person.small_loop", str(tmp_path), *OVERRIDES]
    done = subprocess.run(
        [*command, f"person.data.source={source}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "nothing is spoken: the chain runs on text" in done.stdout
    assert "the configured values are used" in done.stdout
    measured = read_json(tmp_path / paths.metrics("evaluate"))
    assert measured["hit"] is measured["wer"] is measured["refusal_recall"] is None
    said = pl.read_parquet(tmp_path / paths.EVALUATION / "transcript.parquet")
    assert len(said) == 4
    assert not said["spoken"].any()
    assert not said["refused"].all()


def test_any_number_of_workers_prepares_the_same_person(person_root: Path, tmp_path: Path) -> None:
    run(tmp_path, stages=("prepare",), workers=3)
    assert written(tmp_path) == written(person_root)


def written(root: Path) -> dict[str, str]:
    """Every file of the dataset, recordings too, with its digest."""
    files = (path for path in (root / paths.DATASET).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): sha256(path) for path in files}
