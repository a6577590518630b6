"""A corpus on disk comes back as it was, and anything cut, changed or added since is refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from twinloop.dialogue.datasets.corpus import DOCUMENTS, EVIDENCE, QUESTIONS, TABLES, Corpus, rows
from twinloop.dialogue.datasets.layouts import read
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.dialogue.datasets.stored import digest, load, save
from twinloop.dialogue.synthetic.person import person, write_person
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.errors import InputError


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    write_person(person(PersonSettings(documents=12, messages=20), seed=2), tmp_path / "source")
    return read(tmp_path / "source", CorpusSettings(calendar=CalendarSettings(until="2026-03-01")))


def test_what_is_saved_comes_back(tmp_path: Path, corpus: Corpus) -> None:
    save(corpus, tmp_path / "stored")
    back = load(tmp_path / "stored")
    for name in TABLES:
        assert_frame_equal(back.table(name), corpus.table(name))
    assert back.profile == corpus.profile
    assert {name: back.content(name) for name in back.document_files} == {
        name: corpus.content(name) for name in corpus.document_files
    }
    save(back, tmp_path / "again")
    assert digest(tmp_path / "again") == digest(tmp_path / "stored")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("harm", [truncate, flip, Path.unlink])
@pytest.mark.parametrize("name", ["questions.parquet", "corpus.json", "documents"])
def test_a_file_that_is_cut_changed_or_gone_is_named(
    tmp_path: Path, corpus: Corpus, name: str, harm: Callable[[Path], None]
) -> None:
    save(corpus, tmp_path / "stored")
    path = tmp_path / "stored" / name
    harm(sorted(path.iterdir())[0] if path.is_dir() else path)
    with pytest.raises(InputError) as error:
        load(tmp_path / "stored")
    assert name in str(error.value)
    assert "run the prepare stage" in str(error.value)


def test_a_file_that_was_added_is_refused(tmp_path: Path, corpus: Corpus) -> None:
    save(corpus, tmp_path / "stored")
    (tmp_path / "stored/documents/more.txt").write_text("added by hand")
    with pytest.raises(InputError, match="more.txt: was not written with the corpus"):
        load(tmp_path / "stored")


def test_a_failed_save_leaves_what_was_there(tmp_path: Path, corpus: Corpus) -> None:
    save(corpus, tmp_path / "stored")
    before = digest(tmp_path / "stored")
    broken = Corpus(
        "documents", documents=rows(DOCUMENTS, [("a.txt", "a", "")]), document_files={"a.txt": tmp_path / "no"}
    )
    with pytest.raises(InputError, match="cannot be copied"):
        save(broken, tmp_path / "stored")
    assert digest(tmp_path / "stored") == before
    load(tmp_path / "stored")


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    table = rows(DOCUMENTS, [("../../evil.txt", "a", "")])
    with pytest.raises(InputError, match="below the corpus' folder"):
        save(Corpus("documents", documents=table, document_files={"../../evil.txt": b"x"}), tmp_path / "deep/stored")


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"documents": [("a", "a", ""), ("a", "a", "")]}, "expected each document once, 'a' is there twice"),
        ({"evidence": [("q", "a", 1, 0, 1, "x")]}, "evidence refer to question 'q'"),
        ({"documents": [("b", "b", "")]}, "expected a file for every document"),
    ],
)
def test_tables_that_do_not_fit_each_other_are_refused(
    tables: dict[str, list[tuple[object, ...]]], expected: str
) -> None:
    schemas = {"documents": DOCUMENTS, "evidence": EVIDENCE, "questions": QUESTIONS}
    with pytest.raises(InputError, match=expected):
        Corpus("documents", **{name: rows(schemas[name], values) for name, values in tables.items()})
