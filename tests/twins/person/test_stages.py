"""What the person's stages leave: splits that share nothing, a self that answers as judged, figures that hold."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.twins.person.small_loop import STAGES, config
from twinloop.contracts import ServiceProfile
from twinloop.dialogue.conversation.turn import PARTS
from twinloop.dialogue.datasets.splits import corpus_leaks
from twinloop.dialogue.evaluation.questions import relevant
from twinloop.dialogue.speech.audio import read_audio
from twinloop.dialogue.speech.speakers.encoder import SpeakerEncoder
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.twins.person import paths
from twinloop.twins.person.chain import index_digest, open_self, open_speakers
from twinloop.twins.person.data.known import Known
from twinloop.twins.person.data.voices import installed
from twinloop.twins.person.files import ANSWERS, COMMANDS, PREPARED, SPEAKERS

spoken_here = pytest.mark.skipif(bool(installed(["flite", "espeak"]).missing), reason="needs flite and espeak-ng")


@pytest.fixture(scope="session")
def known(person_root: Path) -> Known:
    return Known.load(person_root / paths.DATASET, config().person.data.documents)


def table(root: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(root / paths.EVALUATION / f"{name}.parquet")


def test_every_stage_tells_what_it_made_and_measures(person_root: Path) -> None:
    printed = (person_root / "printed").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in printed] == list(STAGES)
    assert "16 documents" in printed[0]
    assert all(read_json(person_root / paths.metrics(name)) for name in STAGES)


def test_splits_share_no_document_template_or_speaker(known: Known) -> None:
    assert corpus_leaks(known.corpus) == []
    questions = known.corpus.questions
    assert set(questions["split"]) == {"train", "val", "test"}
    leaky = dict(known.leaky.iter_rows())
    sides = questions.with_columns(leaky=pl.col("question").replace_strict(leaky))
    assert sides["leaky"].value_counts().sort("leaky").rows() == (
        questions["split"].value_counts().sort("split").rows()
    )
    documents = known.corpus.evidence.join(sides, on="question").group_by("document").agg(pl.col("leaky").n_unique())
    assert (documents["leaky"] > 1).any()


def test_what_answers_a_question_stands_where_its_evidence_says(known: Known) -> None:
    quotes = dict(known.corpus.evidence.select("question", "quote").iter_rows())
    pages = {(doc.digest, page.number): page.text for doc in known.read.all for page in doc.pages}
    asked = [one for split in ("train", "val", "test") for one in known.asked(split) if one.evidence]
    assert len(asked) == len(quotes)
    for one in asked:
        (place,) = one.evidence
        stands = pages[place.document, place.page][place.start : place.end]
        assert " ".join(stands.split()) == " ".join(quotes[one.name].split())
    index = known.index(None, config().person.index)
    assert all(relevant(index, one.evidence) for one in asked)


@spoken_here
def test_questions_are_spoken_by_voices_that_nothing_is_learnt_from(known: Known) -> None:
    questions = known.spoken.filter(pl.col("question").is_not_null())
    held = known.corpus.questions.filter(split="test")["question"]
    assert questions["question"].is_in(held.to_list()).all()
    assert questions["voice"].n_unique() == 4
    voices = installed(["flite", "espeak"])
    train, test = voices.names("train"), voices.names("test")
    speakers = [{name.partition("+")[2] or name for name in side} for side in (train, test)]
    assert not speakers[0] & speakers[1]
    assert set(questions["voice"]) <= set(test)
    seconds = read_audio(known.corpus.recording_files[questions["recording"][0]]).audio.seconds
    assert seconds == pytest.approx(questions["seconds"][0], abs=0.01)


@spoken_here
def test_a_meeting_is_heard_turn_by_turn(person_root: Path, known: Known) -> None:
    segments = pl.read_parquet(person_root / paths.DATASET / "segments.parquet")
    assert segments["voice"].n_unique() == segments["speaker"].n_unique() >= 4
    assert segments["text"].to_list() == known.corpus.turns["text"].to_list()
    assert (segments["end_s"] > segments["begin_s"]).all()


def test_a_changed_dataset_is_refused(person_root: Path, tmp_path: Path) -> None:
    shutil.copytree(person_root / paths.DATASET, tmp_path / "dataset")
    (tmp_path / "dataset" / PREPARED).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="prepared.json: is not what was written"):
        Known.load(tmp_path / "dataset", config().person.data.documents)


def test_the_served_self_finds_as_it_was_tuned(person_root: Path) -> None:
    chain = open_self(person_root / paths.SELF, speech=False)
    values = read_json(person_root / paths.TUNED)["values"]
    assert chain.index.settings.retrieval.lexical == values["retrieval.lexical"]
    assert chain.index.settings.chunks.words == values["chunks.words"]
    learnt = read_json(person_root / paths.LEARNT / ANSWERS)["refusal"]["threshold"]
    assert chain.described.answers.refusal.threshold == learnt
    assert chain.own.memory is not None
    assert len(chain.own.memory) > 0
    assert chain.own.style is not None


def test_the_self_answers_as_it_was_judged(person_root: Path, known: Known) -> None:
    chain = open_self(person_root / paths.SELF, speech=False)
    typed = table(person_root, "judged").filter(way="typed")
    for one, refused in zip(known.asked("test"), typed["refused"], strict=True):
        answer = chain.answers.answer(one.text, chain.index.search(one.text, chain.answers.passages))
        assert answer.refused == refused


def test_8_bits_are_served_only_where_they_lose_no_more_than_allowed(person_root: Path) -> None:
    measured, allowed = read_json(person_root / paths.metrics("export")), config().person.export
    lost = {name: measured[f"float32_{name}"] - measured[f"int8_{name}"] for name in ("ndcg", "hit")}
    within = lost["ndcg"] <= allowed.most_ndcg_lost and lost["hit"] <= allowed.most_hits_lost
    assert measured["format"] == ("int8" if within else "float32")
    assert bool(measured["int8"]) != within
    served = read_json(person_root / paths.SELF / "self.json")["providers"]["encoder"]["settings"]["precision"]
    assert served == measured["format"]
    times = read_json(person_root / paths.LATENCY)
    assert times["float32"]["speedup"] == 1.0
    assert times["int8"]["p50_ms"] > 0


@spoken_here
def test_every_way_is_judged_on_its_questions(person_root: Path, known: Known) -> None:
    judged, ways = table(person_root, "judged"), table(person_root, "ways")
    expected = {"typed", "spoken", "recognised", "paraphrased", "other persona", "by words", "own encoder", "leaky"}
    assert set(judged["way"]) == set(ways["way"]) == expected
    assert judged.filter(way="typed")["question"].to_list() == [one.name for one in known.asked("test")]
    assert ways.filter(way="typed")["difference"].null_count() == 4
    assert ways.filter(way="leaky")["difference"].null_count() == 4
    spoken = ways.filter(pl.col("way") == "recognised")
    assert spoken["difference"].null_count() == 0
    assert (ways["low"] <= ways["mean"] + 1e-9).all()
    assert (ways["mean"] <= ways["high"] + 1e-9).all()


def test_key_figures_are_those_of_the_tables(person_root: Path) -> None:
    measured, ways = read_json(person_root / paths.metrics("evaluate")), table(person_root, "ways")
    hit = ways.filter(way="typed", figure="hit").row(0, named=True)
    assert measured["hit"] == hit["mean"]
    assert measured["hit_half"] == pytest.approx((hit["high"] - hit["low"]) / 2)
    shipped = table(person_root, "refusals").filter("shipped")
    assert measured["refusal_recall"] == shipped["recall"][0]
    assert measured["refusal_false"] == shipped["false"][0]
    assert 0.9 <= measured["faithfulness"] <= 1.0
    assert measured["persona_rank"] == table(person_root, "sliders")["rank"].min()
    assert measured["persona_rank"] > 0.5


@spoken_here
def test_word_errors_are_counted_by_recogniser_and_voice(person_root: Path) -> None:
    heard, rates = table(person_root, "heard"), table(person_root, "wer")
    assert set(heard["provider"]) == {"whisper", "pocketsphinx"}
    for provider in ("whisper", "pocketsphinx"):
        own = heard.filter(provider=provider)
        total = rates.filter(provider=provider, voice="all")
        assert total["wer"][0] == pytest.approx(own["wrong"].sum() / own["words"].sum())
        assert set(rates.filter(provider=provider)["voice"]) == {"all", *own["voice"]}
    assert read_json(person_root / paths.metrics("evaluate"))["wer"] < 0.5


@spoken_here
def test_commands_are_judged_by_other_voices_than_they_are_learnt_from(person_root: Path) -> None:
    commands = table(person_root, "commands")
    assert (person_root / paths.LEARNT / COMMANDS).is_file()
    assert set(commands["voice"]) <= set(installed(["flite", "espeak"]).names("test"))
    assert set(commands["word"]) == set(config().person.train.commands)
    assert commands["probability"].is_between(0, 1).all()


@spoken_here
def test_speakers_are_told_apart_whom_nothing_was_learnt_from(person_root: Path, known: Known) -> None:
    voices = installed(["flite", "espeak"])
    assert not set(voices.speakers("train")) & set(voices.speakers("test"))
    own = SpeakerEncoder(person_root / paths.LEARNT / SPEAKERS)
    assert own.trained
    measured = read_json(person_root / paths.metrics("evaluate"))
    speakers = table(person_root, "speakers")
    assert speakers["encoder"][0] == "trained"
    settings = config().person.evaluate
    assert speakers["speakers"][0] == min(settings.voices, len(voices.speakers("test")))
    assert speakers["recordings"][0] == settings.recordings * speakers["speakers"][0]
    assert measured["speaker_eer"] == speakers["eer"][0]
    assert 0 <= measured["speaker_eer_low"] <= measured["speaker_eer"] <= measured["speaker_eer_high"] <= 1
    meetings = table(person_root, "meetings")
    assert set(meetings["meeting"]) == set(known.spoken["meeting"].drop_nulls())
    served = open_speakers(person_root / paths.SELF)
    assert served is not None
    assert served.trained == (config().person.providers.speakers == "trained")
    assert measured["diarisation_error"] == meetings.filter(encoder=config().person.providers.speakers)["error"].mean()


def test_measured_time_stands_in_the_profile_alone(person_root: Path) -> None:
    profile = ServiceProfile.load(person_root / paths.PROFILE)
    assert profile.components == PARTS
    assert len(profile) == config().person.evaluate.turns
    assert profile.cpu_s().sum(axis=0)[PARTS.index("answer")] > 0
    assert profile.origin.index == index_digest(person_root / paths.SELF)
    assert 0.05 < profile.memory_gib < 8
    tables = (person_root / paths.EVALUATION).glob("*.parquet")
    columns = {column for path in tables for column in pl.read_parquet_schema(path)}
    assert not columns & {f"{part}{end}" for part in PARTS for end in ("_s", "_cpu_s")}
    assert "audio_s" in columns


@spoken_here
def test_there_is_something_to_listen_to(person_root: Path) -> None:
    folder = person_root / paths.EVALUATION / "audio"
    names = {path.name for path in folder.iterdir()}
    assert {"question-1.wav", "reply-1.wav", "meeting-1.wav"} <= names
    assert all(np.abs(read_audio(folder / name).audio.samples).max() > 0.01 for name in names)
