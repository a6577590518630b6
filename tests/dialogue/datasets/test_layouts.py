"""Layouts: each source is recognised by its content and read whole; what is left out is counted."""

import json
import os
import wave
from pathlib import Path

import polars as pl
import pytest

from twinloop.dialogue.datasets.inspection import contents, inspect
from twinloop.dialogue.datasets.layouts import read, recognise
from twinloop.dialogue.datasets.passages import locate, squeezed
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.dialogue.synthetic.person import person, write_person
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.errors import InputError

SETTINGS = CorpusSettings(calendar=CalendarSettings(until="2026-12-31"))


def sound(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("person") / "mara"
    write_person(person(PersonSettings(), seed=11), target)
    return target


def test_a_fictional_person_is_read_whole(folder: Path) -> None:
    someone = person(PersonSettings(), seed=11)
    corpus = read(folder, SETTINGS)
    assert corpus.layout == "person"
    assert corpus.profile["name"] == someone.profile.name
    assert len(corpus.documents) == 48
    assert len(corpus.questions) == len(someone.questions)
    assert len(corpus.messages) == 160
    assert len(corpus.meetings) == 3
    assert corpus.outcomes["kind"].value_counts(sort=True)["count"].to_list() == [12, 12]
    assert len(corpus.events) > 200
    assert not corpus.left_out
    splits = corpus.questions.join(corpus.evidence, on="question").join(corpus.documents, on="document")
    assert (splits["split"] == splits["split_right"]).all()


def test_qmsum_of_the_validation_folder(shared_data: Path) -> None:
    corpus = read(shared_data / "qmsum/data/val", SETTINGS)
    assert corpus.layout == "qmsum"
    assert len(corpus.meetings) == 35
    assert set(corpus.questions["split"]) == {"val"}
    assert corpus.spans["question"].n_unique() == len(corpus.questions)
    assert (corpus.spans["first"] <= corpus.spans["last"]).all()
    counts = corpus.turns.group_by("meeting").len()
    ends = corpus.spans.join(counts, on="meeting")
    assert (ends["last"] < ends["len"]).all()


def test_xquad_answers_are_where_they_are_said_to_be(shared_data: Path) -> None:
    corpus = read(shared_data / "xquad", SETTINGS)
    assert corpus.layout == "squad"
    assert len(corpus.documents) == 240
    assert corpus.documents["group"].n_unique() == 48
    assert len(corpus.questions) == 1190
    assert set(corpus.questions["split"]) == {"test"}
    for row in corpus.evidence.iter_rows(named=True):
        text = squeezed(corpus.content(row["document"]).decode())
        assert text[row["start"] : row["end"]] == squeezed(row["quote"])


def test_spoken_digits_leak_by_speaker_in_their_official_split(shared_data: Path) -> None:
    found = inspect(shared_data / "speech/fsdd", SETTINGS)
    assert found.corpus is not None
    assert found.corpus.layout == "digits"
    recordings = found.corpus.recordings
    assert len(recordings) == 3000
    assert recordings["speaker"].n_unique() == 6
    assert (recordings["split"] == "test").sum() == 300
    assert any("leaks: 6 speakers" in remark for remark in found.remarks)


@pytest.mark.parametrize("name", ["librivox", "cards"])
def test_human_speech_has_its_transcripts(shared_data: Path, name: str) -> None:
    corpus = read(shared_data / "speech/human" / name, SETTINGS)
    assert corpus.layout == "recordings"
    assert len(corpus.recordings) == 5
    assert (corpus.recordings["text"].str.len_chars() > 5).all()
    assert not corpus.recordings["text"].str.contains("<s>").any()
    assert any("nobody says who speaks" in note for note in corpus.notes)


def test_transcripts_come_by_name_by_table_and_as_librispeech_has_them(tmp_path: Path) -> None:
    sound(tmp_path / "a/one.wav")
    (tmp_path / "a/one.txt").write_text("said by name\n")
    sound(tmp_path / "b/two.wav")
    sound(tmp_path / "b/lost.wav")
    (tmp_path / "b/list.csv").write_text("File,Sentence,Speaker\ntwo.wav,said in a table,Ann\ngone.wav,nothing,Ann\n")
    sound(tmp_path / "c/19-198-0000.wav")
    (tmp_path / "c/19-198.trans.txt").write_text("19-198-0000 SAID AS LIBRISPEECH HAS IT\n")
    corpus = read(tmp_path, SETTINGS)
    said = dict(corpus.recordings.select("recording", "text").iter_rows())
    assert said == {
        "a/one.wav": "said by name",
        "b/two.wav": "said in a table",
        "c/19-198-0000.wav": "SAID AS LIBRISPEECH HAS IT",
    }
    assert corpus.recordings["speaker"].to_list() == ["", "Ann", "19"]
    assert corpus.left_out == {"recording without transcript": 1, "transcript without recording": 1}


def test_speakers_are_told_apart_by_folder_and_splits_by_theirs(tmp_path: Path) -> None:
    for place in ("train/ann", "train/ben", "test/eve"):
        sound(tmp_path / place / "x.wav")
        (tmp_path / place / "x.txt").write_text(place)
    corpus = read(tmp_path, SETTINGS)
    assert dict(corpus.recordings.select("speaker", "split").iter_rows()) == {
        "ann": "train",
        "ben": "train",
        "eve": "test",
    }
    assert "speakers are told apart by folder" in corpus.notes


def test_a_folder_of_documents_leaves_out_empty_ones_and_copies(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("the same")
    (tmp_path / "sub/b.md").write_text("the same")
    (tmp_path / "c.html").write_text("")
    (tmp_path / "README.md").write_text("about the others")
    corpus = read(tmp_path, SETTINGS)
    assert corpus.documents["document"].to_list() == ["a.txt"]
    assert corpus.left_out == {"document given twice": 1, "empty document": 1}


def test_a_source_is_named_from_here_as_well_as_from_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes" / "old").mkdir(parents=True)
    (tmp_path / "notes" / "one.txt").write_text("The first note.", encoding="utf-8")
    (tmp_path / "notes" / "old" / "two.txt").write_text("The second note.", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert list(read(Path("notes"), CorpusSettings()).document_files) == ["old/two.txt", "one.txt"]


def test_impossible_questions_of_squad_have_a_reason_and_misplaced_answers_are_counted(tmp_path: Path) -> None:
    asked = [
        {
            "id": "1",
            "question": "Who?",
            "answers": [{"text": "Ann", "answer_start": 0}, {"text": "Ann", "answer_start": 0}],
        },
        {"id": "2", "question": "When?", "answers": [], "is_impossible": True},
        {"id": "3", "question": "Where?", "answers": [{"text": "home", "answer_start": 1}]},
    ]
    path = tmp_path / "dev-v2.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "Ann  came home.", "qas": asked}]}]}))
    corpus = read(path, SETTINGS)
    assert corpus.questions["answer"].to_list() == ["Ann", ""]
    assert corpus.questions["reason"].to_list() == ["", "not stated"]
    assert set(corpus.questions["split"]) == {"val"}
    assert len(corpus.evidence) == 1
    assert corpus.left_out == {"answer that is not where it is said to be": 1}


def test_the_recogniser_names_what_else_a_source_may_be(folder: Path, tmp_path: Path) -> None:
    assert [one.layout.name for one in recognise(folder)] == ["person", "documents", "calendar"]
    (tmp_path / "a.txt").write_text("words")
    (tmp_path / "b.docx").write_text("words")
    found = inspect(tmp_path, SETTINGS)
    assert [one.layout.name for one in found.candidates] == ["documents"]
    assert found.corpus is not None
    assert contents(found.corpus) == {"documents": 1}
    assert any("b.docx" in line and "save as PDF" in line for line in found.near)
    assert any("near person" in line for line in found.near)


def test_recordings_without_transcripts_are_near(tmp_path: Path) -> None:
    sound(tmp_path / "one.wav")
    found = inspect(tmp_path, SETTINGS)
    assert not found.candidates
    assert any("put one.txt beside one.wav" in line for line in found.near)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "expected one of person, qmsum, squad"),
        ({"x.json": '{"meeting_transcripts": []}'}, "expected a meeting of QMSum"),
        ({"x.json": '{"data": [{"paragraphs": [{"context": 3}]}]}'}, "expected data with paragraphs"),
        ({"x.json": '{"paragraphs": '}, "expected JSON"),
        ({"profile.json": "[]"}, "expected a mapping with a name"),
        ({"profile.json": '{"name": "Ann"}', "messages.csv": "a,b\n1,2\n"}, "expected columns conversation"),
        (
            {
                "profile.json": '{"name": "Ann"}',
                "messages.csv": "conversation,time,sender,text\nx,2026-01-01T10:00,Ann,hi\n",
            },
            "a time without zone",
        ),
        (
            {"profile.json": '{"name": "A"}', "messages.csv": "conversation,time,sender,text\nx,yesterday,Ann,hi\n"},
            "messages.csv:2: expected an ISO 8601 time, found 'yesterday'",
        ),
        ({"profile.json": '{"name": "Ann"}', "questions.json": '[{"question": "x"}]'}, "question 1: expected question"),
        ({"empty.txt": ""}, "all 1 documents are empty"),
    ],
)
def test_bad_sources_are_refused_in_one_line(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        read(tmp_path, SETTINGS)
    assert expected in str(error.value)


def test_a_source_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        inspect(tmp_path / "nothing", SETTINGS)


def test_two_transcripts_of_one_recording_must_agree(tmp_path: Path) -> None:
    sound(tmp_path / "one.wav")
    (tmp_path / "one.txt").write_text("yes")
    (tmp_path / "list.tsv").write_text("file\ttext\none.wav\tno\n")
    with pytest.raises(InputError, match="another transcript elsewhere"):
        read(tmp_path, SETTINGS)


def test_a_quotation_is_found_however_lines_are_broken() -> None:
    assert locate("two words", ["one", "say two\n  words here"]) == (2, 4, 13)
    assert locate("none", ["one"]) is None
    assert pl.DataFrame([locate("one", ["one"])], orient="row").row(0) == (1, 0, 3)


@pytest.mark.parametrize("name", [b"bad\xff.txt", b"two\nlines.txt"])
def test_a_file_name_that_is_no_text_is_refused(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_text("words")
    with pytest.raises(InputError, match="rename the file"):
        read(tmp_path, SETTINGS)


def test_a_folder_of_several_kinds_is_read_as_what_most_of_it_is(tmp_path: Path) -> None:
    for index in range(9):
        sound(tmp_path / f"digits/{index}_ann_0.wav")
    sound(tmp_path / "talk/one.wav")
    (tmp_path / "talk/one.txt").write_text("said")
    assert [(one.layout.name, len(one.files)) for one in recognise(tmp_path)][:2] == [("digits", 9), ("recordings", 2)]
    assert len(read(tmp_path, SETTINGS).recordings) == 9
    assert len(read(tmp_path, CorpusSettings(kind="recordings")).recordings) == 1
