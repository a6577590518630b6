"""What pages make of the person's outputs, on small tables whose every figure can be checked by hand."""

from pathlib import Path

import polars as pl
import pytest

from tests.twins.person.outputs import HOSTILE, write_outputs
from twinloop.dialogue.answering.selector import Features
from twinloop.errors import InputError
from twinloop.files import read_json, write_json
from twinloop.numbers import Interval
from twinloop.reporting.figures import dialogue
from twinloop.twins.person import paths
from twinloop.twins.person.results.base import PersonOutputs, shown, shown_share
from twinloop.twins.person.results.knowledge import Knowledge
from twinloop.twins.person.results.persona import Persona
from twinloop.twins.person.results.speech import Speech


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_outputs(tmp_path_factory.mktemp("person"))


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where no synthesiser was installed."""
    return write_outputs(tmp_path_factory.mktemp("silent"), speech=False)


def test_a_figure_brings_the_interval_that_it_has(root: Path) -> None:
    outputs = PersonOutputs(root)
    ndcg = outputs.measured("evaluate", "ndcg")
    assert ndcg is not None
    assert (ndcg.low, ndcg.mean, ndcg.high) == pytest.approx((0.7, 0.8, 0.9))
    assert outputs.measured("evaluate", "refusal_recall") == Interval(0.7, 0.7, 0.7)
    assert outputs.measured("simulate", "users") == Interval(38, 34, 41)
    assert outputs.measured("evaluate", "never measured") is None


@pytest.mark.parametrize(
    ("value", "number", "share"),
    [
        (None, "–", "–"),
        (Interval(0.5, 0.5, 0.5), "0.500", "50.0\u202f%"),
        (Interval(0.5, 0.4, 0.6), "0.500 (0.400 … 0.600)", "50.0\u202f% (40.0\u202f% … 60.0\u202f%)"),
    ],
)
def test_a_figure_is_told_with_its_interval_where_it_has_one(value: Interval | None, number: str, share: str) -> None:
    assert (shown(value), shown_share(value)) == (number, share)


def test_an_evaluation_that_did_not_run_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"heard\.parquet: not there yet: run `make repro` first"):
        PersonOutputs(tmp_path).evaluation("heard")


class TestSpeech:
    def test_the_recogniser_in_use_comes_first(self, root: Path) -> None:
        heard = Speech(root)
        assert heard.providers == ["whisper", "pocketsphinx"]
        assert heard.rates["voice"].to_list()[:1] == ["all"]
        assert heard.recognisers().rows[0][:3] == ("whisper", "10.0\u202f% (5.0\u202f% … 20.0\u202f%)", "50\u202f%")

    def test_a_lost_answer_is_refused_or_another_one_is_said(self, root: Path) -> None:
        told = {row[0]: row[1:] for row in Speech(root).outcomes().rows}
        assert told["typed"] == ("2", "50\u202f%", "50\u202f%", "0\u202f%")

    def test_speaker_encoders_stand_side_by_side(self, root: Path, silent: Path) -> None:
        own, published = Speech(root).speakers().rows
        assert own[0] == "trained here"
        assert own[1:] == ("20.0\u202f% (10.0\u202f% … 30.0\u202f%)", "8", "64", "20\u202f%")
        assert published[4] == "10\u202f%"
        assert Speech(silent).speakers().rows[0][0] == "none"

    def test_only_what_was_misheard_is_shown_as_hard(self, root: Path) -> None:
        assert [row[3] for row in Speech(root).hardest().rows] == ["3 of 4"]

    def test_what_hearing_costs_is_said_as_surely_as_it_is_known(self, root: Path, tmp_path: Path) -> None:
        assert Speech(root).lost().startswith("Heard instead of read, questions lose answers: −30 points")
        unsure = write_outputs(tmp_path)
        ways = unsure / paths.EVALUATION / "ways.parquet"
        pl.read_parquet(ways).with_columns(difference_high=pl.col("difference_high") + 0.5).write_parquet(ways)
        assert "is not sure: −30 points" in Speech(unsure).lost()

    def test_each_question_is_played_before_its_reply(self, root: Path) -> None:
        players = Speech(root).questions()
        told = [(one.caption, one.text) for one in players.recordings]
        assert told == [("Question 1, understood as", "and in may"), ("The reply to question 1", f"It is 3. {HOSTILE}")]
        assert Speech(root).meeting().__html__().count("<audio") == 1

    def test_without_synthesisers_every_part_says_that_nothing_was_spoken(self, silent: Path) -> None:
        heard = Speech(silent)
        told = {row[0]: row[1] for row in heard.summary().rows}
        assert told["synthesisers that are not installed"] == "flite, espeak"
        assert told["word error rate"] == "–"
        for table in (heard.recognisers(), heard.hardest(), heard.by_voice()):
            assert table.rows[0][0] == "none"
        assert "Nothing was spoken" in heard.lost()
        assert "There is nothing to play" in heard.questions().__html__()
        assert "Nothing was spoken" in dialogue.word_error_rates(heard.word_errors()).alt
        assert "No command was learnt" in dialogue.commands(heard.commands()).alt
        assert "typed 80.0" in dialogue.ways(**heard.propagation()).alt


class TestKnowledge:
    def test_the_weights_in_use_are_shown_with_what_they_gained(self, root: Path) -> None:
        table = Knowledge(root).chosen_by()
        assert {row[0] for row in table.rows} == set(Features._fields)
        assert "In use: learnt" in table.caption
        assert "80.0\u202f% learnt, 70.0\u202f% by hand" in table.caption

    def test_the_first_right_passage_is_ranked(self, root: Path) -> None:
        ranks = {row[0]: row[1] for row in Knowledge(root).ranks().rows}
        assert ranks == {"first": "1", "second": "0", "third": "0", "fourth to tenth": "1", "not among ten": "0"}

    def test_only_sure_differences_are_told(self, root: Path) -> None:
        told = {row[0]: row[1] for row in Knowledge(root).figures().rows}
        assert told["by words"] == "0.600 (−0.20)"
        assert told["own encoder"] == "0.750"

    def test_ways_come_in_the_order_in_which_they_are_explained(self, root: Path) -> None:
        known = Knowledge(root)
        assert known.ways()["compared"]["way"].to_list() == [row[0] for row in known.meanings().rows]

    def test_a_missed_answer_is_shown_with_the_right_one(self, root: Path) -> None:
        (row,) = Knowledge(root).missed().rows
        assert row[:2] == (f"Who signed {HOSTILE}?", "Ada")
        assert row[3] == "nothing: refused"

    def test_the_leaky_figure_stands_beside_the_honest_one(self, root: Path, tmp_path: Path) -> None:
        assert Knowledge(root).promised().rows[2][1] == "+15.0 points"
        given = write_outputs(tmp_path)
        found = read_json(given / paths.metrics("evaluate"))
        write_json(given / paths.metrics("evaluate"), found | {"leaky_hit": None})
        assert "not measured" in Knowledge(given).promised().rows[0][2]

    def test_the_gate_shows_what_may_be_lost(self, root: Path) -> None:
        gate = Knowledge(root).gate()
        assert gate["formats"]["format"].to_list() == ["float32", "int8"]
        assert gate["allowed"] == {"nDCG@10": 0.01, "answers right": 0.01}
        assert gate["served"] == "int8"


class TestPersona:
    def test_a_slider_shows_as_surely_as_its_interval_says(self, root: Path) -> None:
        assert [row[3] for row in Persona(root).measures().rows] == [
            "clearly",
            "not sure whether enough",
            "not sure whether enough",
            "not sure whether enough",
        ]

    def test_turns_are_counted_by_what_became_of_them(self, root: Path) -> None:
        counted = {row[0]: row[1] for row in Persona(root).turns().rows}
        assert (counted["turns"], counted["answered with sources"], counted["refused"]) == ("2", "1", "1")

    def test_the_threshold_is_drawn_with_what_it_was_allowed_to_cost(self, root: Path) -> None:
        assert "allowed when the threshold was set: 10\u202f%" in {
            line.get_label() for line in dialogue.refusals(**Persona(root).refusals()).axes[0].lines
        }


def test_names_from_data_never_become_markup(root: Path) -> None:
    heard, known, said = Speech(root), Knowledge(root), Persona(root)
    tables = (heard.hardest(), heard.by_voice(), known.missed(), said.manners())
    for table in tables:
        assert HOSTILE in str(table)
        assert HOSTILE not in table.__html__()
