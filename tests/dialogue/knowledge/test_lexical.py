import math

import numpy as np
import pytest

from twinloop.dialogue.knowledge.lexical import Lexical, terms
from twinloop.dialogue.knowledge.settings import LexicalSettings

CHUNKS = ["The oven runs hot at noon.", "The press is cleaned on Friday.", "Ovens and presses: the oven stops."]


def index(texts: list[str], **settings: float) -> Lexical:
    return Lexical([terms(text) for text in texts], LexicalSettings(**settings))


def test_scores_are_bm25_as_a_share_of_what_the_question_could_earn() -> None:
    lengths = [len(terms(text)) for text in CHUNKS]
    rarity = {term: math.log(1 + (3 - n + 0.5) / (n + 0.5)) for term, n in (("oven", 2), ("hot", 1), ("zebra", 0))}

    def earned(count: int, length: int) -> float:
        return count / (count + 1.2 * (1 - 0.4 + 0.4 * length / (sum(lengths) / 3)))

    most = sum(rarity.values())
    scores = index(CHUNKS, pairs=0).scores("Is the oven hot, zebra?")
    first = (rarity["oven"] + rarity["hot"]) * earned(1, lengths[0])
    assert scores.tolist() == pytest.approx([first / most, 0, rarity["oven"] * earned(2, lengths[2]) / most])


def test_words_side_by_side_as_in_the_question_earn_besides() -> None:
    texts = ["The hot oven stops.", "The oven stops hot.", "A hot oven, the hot oven.", "Nothing of it."]
    alone, together = (index(texts, pairs=weight, b=0).scores("Which hot ovens?") for weight in (0, 2))
    one, twice = 1 / (1 + 1.2), 2 / (2 + 1.2)
    assert alone.tolist() == pytest.approx([one, one, twice, 0])
    assert together.tolist() == pytest.approx([one, one / 3, (twice + 2 * twice) / 3, 0])


def test_a_pair_across_two_texts_is_none() -> None:
    assert index(["A red press", "oven stops"], b=0).scores("press oven").max() < 0.5


def test_words_that_only_ask_count_little_unless_there_is_nothing_else() -> None:
    texts = ["They tell and tell and discuss.", "The oven is hot."]
    assert np.argmax(index(texts).scores("Tell me, please: discuss the oven")) == 1
    assert np.argmax(index(texts, asking=1).scores("Tell me, please: discuss the oven")) == 0
    assert np.argmax(index(texts).scores("What did they tell?")) == 0
    assert index(texts, asking=0).scores("Tell me of zebras").tolist() == [0, 0]
    assert index(texts, asking=0).scores("How much is the oven?") == pytest.approx(index(texts).scores("the oven?"))


@pytest.mark.parametrize("question", ["", "the of and", "zebra", "?!", "烤箱"])
def test_a_question_whose_words_are_nowhere_earns_nothing(question: str) -> None:
    assert index(CHUNKS).scores(question).tolist() == [0, 0, 0]


def test_a_question_of_very_many_words_is_answered() -> None:
    many = " ".join(f"word{n}" for n in range(10_000))
    scores = index(CHUNKS).scores(f"oven {many}")
    assert scores[0] > 0 == scores[1]


def test_scripts_without_blanks_are_found_by_pairs_of_characters() -> None:
    scores = index(["烤箱在周五清洁", "压力机中午停止"]).scores("谁清洁烤箱？")
    assert scores[0] > 0 == scores[1]


def test_accents_capitals_and_endings_do_not_matter() -> None:
    assert terms("Cleaning Zoë’s OVENS") == terms("cleaned zoes oven"[:8] + "zoe s ovens") == ["clean", "zoe", "oven"]
    assert terms("Cleaning ovens", stems=False) == ["cleaning", "ovens"]


def test_an_index_without_words_answers_nothing() -> None:
    assert index([]).scores("oven").tolist() == []
    assert index(["the of"]).scores("oven").tolist() == [0]
