"""Questions of a corpus stand where its evidence says, however the text was laid out."""

from twinloop.dialogue.datasets.corpus import DOCUMENTS, EVIDENCE, MEETINGS, QUESTIONS, SPANS, TURNS, Corpus, rows
from twinloop.dialogue.evaluation.corpora import asked, library
from twinloop.dialogue.evaluation.questions import relevant
from twinloop.dialogue.knowledge.index import Index

TEXT = b"The key   hangs\nin the blue office.\n\nThe oven is cleaned on Mondays."


def corpus(quote: str, start: int, *, answer: str = "the blue office") -> Corpus:
    return Corpus(
        layout="test",
        documents=rows(DOCUMENTS, [("oven.txt", "house", "test")]),
        questions=rows(QUESTIONS, [("q1", "Where is the key?", "", answer, "", "test", "")]),
        evidence=rows(EVIDENCE, [("q1", "oven.txt", 1, start, start + len(quote), quote)]),
        document_files={"oven.txt": TEXT},
    )


def stands(given: Corpus) -> list[str]:
    read = library(given)
    page = read.documents["oven.txt"].pages[0].text
    return [page[place.start : place.end] for one in asked(given, read) for place in one.evidence]


def test_a_quotation_is_found_across_lines_and_blanks() -> None:
    assert stands(corpus("hangs in the blue office.", 8)) == ["hangs\nin the blue office."]


def test_a_quotation_that_was_counted_otherwise_says_itself_where_it_stands() -> None:
    assert stands(corpus("on Mondays.", 3)) == ["on Mondays."]


def test_a_question_whose_answer_was_not_read_is_left_out_and_one_without_any_stays() -> None:
    lost = corpus("on Tuesdays.", 3)
    assert asked(lost, library(lost)) == ()
    (hopeless,) = asked(corpus("on Tuesdays.", 3, answer=""), library(lost))
    assert (hopeless.evidence, hopeless.group) == ((), "q1")


def test_a_document_that_cannot_be_read_is_told() -> None:
    given = corpus("x", 0)
    broken = Corpus(layout="test", documents=given.documents, document_files={"oven.txt": b""})
    assert list(library(broken).left_out) == ["oven.txt"]


def test_turns_of_a_meeting_are_its_lines() -> None:
    turns = [("m1", place, "Ann", text) for place, text in enumerate(["Shall we start?", "In Husum.", "Yes."])]
    given = Corpus(
        layout="test",
        meetings=rows(MEETINGS, [("m1", None, "")]),
        turns=rows(TURNS, turns),
        questions=rows(QUESTIONS, [("q1", "Where?", "", "Husum", "", "test", "")]),
        spans=rows(SPANS, [("q1", "m1", 1, 1)]),
    )
    read = library(given)
    (one,) = asked(given, read)
    text = read.meetings["m1"].pages[0].text
    assert [text[place.start : place.end] for place in one.evidence] == ["Ann: In Husum."]
    index = Index()
    index.add(read.meetings["m1"])
    assert relevant(index, one.evidence) == {(read.meetings["m1"].digest, 0)}
    assert one.group == "m1"
