"""Splits keep units together, and one that does not is found by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.datasets.corpus import DOCUMENTS, EVIDENCE, QUESTIONS, RECORDINGS, Corpus, rows
from twinloop.dialogue.datasets.splits import check_splits, corpus_leaks, crossed, divide, divided, leaks
from twinloop.errors import InputError


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.integers(0, 5))
def test_every_split_has_a_group_and_no_group_is_in_two(groups: list[str], seed: int) -> None:
    if len(set(groups)) < 3:
        with pytest.raises(InputError, match="expected 3 or more independent groups"):
            divide(groups, val_share=0.2, test_share=0.3, seed=seed)
        return
    division = divide(groups, val_share=0.2, test_share=0.3, seed=seed)
    assert set(division.honest) == {"train", "val", "test"}
    assert not leaks({"document": groups}, division.honest)
    assert sorted(division.leaky) == sorted(division.honest)
    assert division == divide(groups, val_share=0.2, test_share=0.3, seed=seed)


def test_the_leaky_split_leaks_and_is_refused_by_name() -> None:
    speakers = [f"speaker {number // 10}" for number in range(60)]
    division = divide(speakers, val_share=0.2, test_share=0.3, seed=1)
    check_splits({"speaker": speakers}, division.honest)
    with pytest.raises(InputError, match="speaker 'speaker 0' is on several sides"):
        check_splits({"speaker": speakers}, division.leaky)


def test_rows_count_only_where_template_and_document_agree() -> None:
    assert crossed(["train", "test", "val"], ["train", "train", "val"]) == ("train", "", "val")


def test_a_unit_that_nobody_knows_leaks_nothing() -> None:
    assert not leaks({"speaker": ["", ""]}, ["train", "test"])
    assert not leaks({"speaker": ["ann", "ann"]}, ["train", ""])


def test_leaks_by_template_document_and_speaker_are_found_in_a_corpus() -> None:
    corpus = Corpus(
        "person",
        documents=rows(DOCUMENTS, [("a", "article", "train"), ("b", "article", "train")]),
        questions=rows(
            QUESTIONS, [("1", "Who?", "", "x", "who", "train", ""), ("2", "Who then?", "", "y", "who", "test", "")]
        ),
        evidence=rows(EVIDENCE, [("1", "a", 1, 0, 1, "x"), ("2", "b", 1, 0, 1, "y")]),
        recordings=rows(RECORDINGS, [("1", "ann", "x", "train"), ("2", "ann", "y", "test")]),
        document_files={"a": b"x", "b": b"y"},
        recording_files={"1": b"", "2": b""},
    )
    assert {(leak.unit, leak.name) for leak in corpus_leaks(corpus)} == {
        ("template", "who"),
        ("document", "article"),
        ("speaker", "ann"),
    }


def test_a_corpus_that_came_undivided_is_divided_by_group_and_speaker() -> None:
    names = [f"{group}{number}" for group in "abcdef" for number in range(3)]
    corpus = Corpus(
        "documents",
        documents=rows(DOCUMENTS, [(name, name[0], "") for name in names]),
        questions=rows(QUESTIONS, [(name, "Who?", "", "x", "", "", "") for name in [*names, "none"]]),
        evidence=rows(EVIDENCE, [(name, name, 1, 0, 1, "x") for name in names]),
        recordings=rows(RECORDINGS, [(str(number), f"speaker {number % 4}", "x", "") for number in range(20)]),
        document_files=dict.fromkeys(names, b"x"),
        recording_files={str(number): b"" for number in range(20)},
    )
    whole = divided(corpus, val_share=0.2, test_share=0.3, seed=1)
    assert not corpus_leaks(whole)
    assert set(whole.documents["split"]) == set(whole.recordings["split"]) == {"train", "val", "test"}
    sides = dict(whole.documents.select("document", "split").iter_rows())
    assert dict(whole.questions.select("question", "split").iter_rows()) == sides | {"none": ""}
    again = divided(whole, val_share=0.2, test_share=0.3, seed=2)
    assert again.documents.equals(whole.documents), "what is divided stays so"
