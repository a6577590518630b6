"""Questions put to an index: what counts as found and answered, and how far a misheard word goes."""

import polars as pl
import pytest

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.settings import AnswerSettings, RefusalSettings
from twinloop.dialogue.evaluation.questions import Asked, Place, judged, relevant
from twinloop.dialogue.evaluation.side_by_side import side_by_side
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.document import Document
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.errors import InputError

# Without an encoder nothing is known of meaning.
WORDS = AnswerSettings(statements=1, refusal=RefusalSettings(meaning=0.0, offset=-1.5))
FACTS = {
    "oven.txt": "The oven was bought in 1999. It has four doors and a green lamp.",
    "boat.txt": "The boat was painted red by Carla. It lies in the harbour of Husum.",
    "garden.txt": "The garden has nine apple trees. The fence was mended by Jonas.",
}
DOCUMENTS = {name: parse_document(name, text.encode()) for name, text in FACTS.items()}


def asked(text: str, document: Document, quote: str, answer: str) -> Asked:
    start = document.pages[0].text.index(quote)
    return Asked(text, text, answer, (Place(document.digest, 1, start, start + len(quote)),), document.name)


QUESTIONS = [
    asked("When was the oven bought?", DOCUMENTS["oven.txt"], "The oven was bought in 1999.", "1999"),
    asked("Who painted the boat?", DOCUMENTS["boat.txt"], "The boat was painted red by Carla.", "Carla"),
    asked("Who mended the fence?", DOCUMENTS["garden.txt"], "The fence was mended by Jonas.", "Jonas"),
]
HOPELESS = Asked("Which planet has rings?", "Which planet has rings?", "", (), "none")


@pytest.fixture(scope="module")
def index() -> Index:
    index = Index()
    for document in DOCUMENTS.values():
        index.add(document)
    return index


def answers(index: Index, texts: list[str] | None = None, questions: list[Asked] = QUESTIONS) -> pl.DataFrame:
    return judged(index, ExtractiveAnswers(index, WORDS).answer, questions, texts=texts)


def test_what_is_found_and_answered_counts_one(index: Index) -> None:
    frame = answers(index)
    assert frame["ndcg"].to_list() == frame["hit"].to_list() == [1.0] * 3
    assert (frame["f1"] < 1).all()
    assert frame["group"].to_list() == list(FACTS)


def test_a_question_without_an_answer_has_no_figures_but_that_it_was_refused(index: Index) -> None:
    row = answers(index, questions=[*QUESTIONS, HOPELESS]).row(3, named=True)
    assert (row["answerable"], row["ndcg"], row["hit"], row["f1"]) == (False, None, None, None)
    assert row["refused"]


def test_evidence_must_lie_in_a_chunk_whole(index: Index) -> None:
    oven = DOCUMENTS["oven.txt"]
    assert relevant(index, [Place(oven.digest, 1, 0, 10)]) == {(oven.digest, 0)}
    assert relevant(index, [Place(oven.digest, 1, 0, 10_000)]) == set()
    assert relevant(index, [Place(oven.digest, 2, 0, 10)]) == set()


def test_misheard_words_cost_answers_and_the_pairs_show_it(index: Index) -> None:
    ways = {"typed": answers(index), "recognised": answers(index, ["when was", "who painted the boat", "who tended a"])}
    table = side_by_side(ways, seed=1)
    hits = table.filter(figure="hit")
    assert hits["mean"].to_list() == [1.0, pytest.approx(1 / 3)]
    assert hits["difference"].to_list() == [None, pytest.approx(-2 / 3)]
    assert hits["difference_high"].to_list()[1] <= 0
    assert table.height == 8


def test_other_questions_are_not_compared(index: Index) -> None:
    with pytest.raises(InputError, match="second: expected the same questions"):
        side_by_side({"first": answers(index), "second": answers(index, questions=QUESTIONS[1:])}, seed=1)
    with pytest.raises(InputError, match="expected questions that can be answered"):
        side_by_side({"first": answers(index, questions=[HOPELESS])}, seed=1)
