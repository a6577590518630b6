"""How well it hears, for the page on speech: what is misheard by which recogniser, and how far such errors go."""

from functools import cached_property
from typing import Any

import polars as pl

from twinloop.numbers import MISSING, Interval, count, number, percent, quantity
from twinloop.reporting.players import Players, Recorded
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.person import paths
from twinloop.twins.person.config import NONE
from twinloop.twins.person.results.base import PersonOutputs, shown_share

ALL = "all"
AUDIO, MEETING = paths.EVALUATION / "audio", "meeting-1.wav"
NOTHING_SPOKEN = "There is nothing to play: no question and no reply was spoken, as it takes synthesisers."
NO_MEETING = "There is nothing to play: no meeting was spoken."
# Questions that are shown with what was heard of them, and those that are played.
HARDEST, PLAYED = 8, 3
TYPED, SPOKEN, RECOGNISED = "typed", "spoken", "recognised"
CHAIN = (TYPED, SPOKEN, RECOGNISED)
PLACES = {name: place for place, name in enumerate(CHAIN)}
LABELS = {"hit": "answers right", "ndcg": "nDCG@10"}
ENCODERS = {"trained": "trained here", "resemblyzer": "published (Resemblyzer)"}
MEANINGS = {
    TYPED: "as somebody types it",
    SPOKEN: "as a perfect recogniser would hand it on: words without capitals, figures and punctuation",
    RECOGNISED: "as the recogniser understood the recording",
}


class Speech(PersonOutputs):
    """What prepare and evaluate left about what is spoken and heard."""

    @property
    def recogniser(self) -> str:
        """Who hears, by the configuration; `none` for nobody."""
        return str(self.described["providers"]["speech_to_text"]["name"])

    @cached_property
    def heard(self) -> pl.DataFrame:
        """One row per recording and recogniser; without rows where nothing was spoken."""
        return self.evaluation("heard")

    @cached_property
    def rates(self) -> pl.DataFrame:
        """provider, voice (`all` first), wer, low, high, words; the configured recogniser first."""
        found = self.evaluation("wer")
        first = pl.col("provider") != self.recogniser
        return found.sort(first, "provider", pl.col("voice") != ALL, "voice")

    @property
    def providers(self) -> list[str]:
        """The recognisers that were tried, the configured one first."""
        return list(dict.fromkeys(self.rates["provider"]))

    def summary(self) -> Table:
        """What was spoken, by whom, and who heard it."""
        spoken, missing = self.dataset("spoken"), self.prepared["missing"]
        questions, meetings = (spoken.filter(pl.col(kind).is_not_null()) for kind in ("question", "meeting"))
        voices = self._voices(spoken)
        rows = [
            ("questions spoken", f"{count(len(questions))}, {_length(questions)}"),
            ("meetings spoken", f"{count(meetings['meeting'].n_unique())}, {_length(meetings)}"),
            ("voices", ", ".join(f"{name} {count(number_)}" for name, number_ in voices.items()) or "none"),
            ("synthesisers that are not installed", ", ".join(missing) or "none"),
            ("heard by", self.recogniser if self.recogniser != NONE else "nobody: the chain runs on text"),
            ("word error rate", shown_share(self.measured("evaluate", "wer"))),
            ("single commands recognised", shown_share(self.measured("evaluate", "command_accuracy"))),
            ("strangers taken for each other, equal error rate", shown_share(self.measured("evaluate", "speaker_eer"))),
        ]
        return Table.of(("", "this report"), rows, caption="In brackets 95 % intervals.")

    def _voices(self, spoken: pl.DataFrame) -> dict[str, int]:
        """Synthesiser → how many different voices of it spoke."""
        counted = spoken.drop_nulls("voice").group_by("program").agg(pl.col("voice").n_unique()).sort("program")
        return dict(counted.iter_rows())

    def rate(self, provider: str, voice: str = ALL) -> Interval | None:
        """A recogniser's word error rate, with a voice or with all."""
        own = self.rates.filter((pl.col("provider") == provider) & (pl.col("voice") == voice))
        return estimate(own.row(0, named=True), "wer", "low", "high") if len(own) else None

    def recognisers(self) -> Table:
        """Each recogniser: how much it mishears."""
        rows = []
        for name in self.providers:
            own = self.heard.filter(pl.col("provider") == name)
            whole = len(own.filter(pl.col("wrong") == 0)) / len(own) if len(own) else None
            rows.append(
                (
                    name,
                    shown_share(self.rate(name)),
                    percent(whole, digits=0),
                    count(float(own["words"].sum())),
                )
            )
        headers = ("recogniser", "word error rate", "recordings without an error", "words")
        caption = (
            "The first is the one that is used; who heard fewer words heard some of the recordings only. In brackets "
            "95 % intervals, drawn over voices."
        )
        return Table.of(headers, rows or [_none(headers)], caption=caption, numeric=(2, 3), emphasis=(0,))

    def word_errors(self) -> pl.DataFrame:
        """Argument of `figures.dialogue.word_error_rates`."""
        return self.rates

    def hardest(self) -> Table:
        """The recordings in which the recogniser in use erred most."""
        headers = ("voice", "said", "heard", "words wrong")
        caption = f"At most {HARDEST}, the worst understood of all, by the recogniser in use."
        own = self.heard.filter((pl.col("provider") == self.recogniser) & (pl.col("wrong") > 0))
        worst = own.sort(pl.col("wrong") / pl.col("words"), "recording", descending=[True, False]).head(HARDEST)
        rows: list[tuple[str, ...]] = [
            (row["voice"], row["spoken"], row["heard"] or "nothing", f"{row['wrong']} of {row['words']}")
            for row in worst.iter_rows(named=True)
        ]
        return Table.of(headers, rows or [_none(headers)], caption=caption, numeric=(3,))

    def propagation(self, figure: str = "hit") -> dict[str, Any]:
        """Arguments of `figures.dialogue.ways`: the question typed, spoken and recognised."""
        found = self.evaluation("ways").filter((pl.col("figure") == figure) & pl.col("way").is_in(CHAIN))
        ordered = found.sort(pl.col("way").replace_strict({name: place for place, name in enumerate(CHAIN)}))
        return {
            "compared": ordered,
            "label": LABELS[figure],
            "title": "How far do errors go?",
            "share": figure == "hit",
        }

    def lost(self) -> str:
        """In a sentence: what hearing costs in answers."""
        own = self.propagation()["compared"].filter(way=RECOGNISED)
        if own.is_empty():
            return "Nothing was spoken, so what hearing costs in answers is not known."
        apart = estimate(own.row(0, named=True), "difference")
        points = [number(100 * end, digits=2, sign=True) for end in (apart.mean, apart.low, apart.high)]
        told = f"{points[0]} points of answers ({points[1]} … {points[2]})"
        if apart.high < 0:
            return f"Heard instead of read, questions lose answers: {told}."
        return f"Whether questions lose answers when they are heard instead of read is not sure: {told}."

    def cost(self) -> Table:
        """What hearing costs, as one sentence."""
        return Table.of(("what hearing costs",), [(self.lost(),)])

    def meanings(self) -> Table:
        """What the three ways of asking are."""
        return Table.of(("the question", "how it is asked"), [(name, MEANINGS[name]) for name in CHAIN])

    def outcomes(self) -> Table:
        """What becomes of questions that can be answered, in each of the three ways."""
        judged, rows = self.evaluation("judged").filter("answerable"), []
        for way in CHAIN:
            own = judged.filter(way=way)
            shares = own.select(
                right=pl.col("hit").mean(),
                refused=pl.col("refused").mean(),
                wrong=((pl.col("hit") == 0) & ~pl.col("refused")).mean(),
            ).row(0)
            rows.append((way, count(len(own)), *(percent(share, digits=0) for share in shares)))
        headers = ("the question", "asked", "answered rightly", "refused", "answered wrongly")
        return Table.of(headers, rows, numeric=range(1, 5))

    def commands(self) -> pl.DataFrame:
        """Argument of `figures.dialogue.commands`."""
        return self.evaluation("commands")

    def by_voice(self) -> Table:
        """Commands by the voice that spoke them: none of these voices was learnt from."""
        headers = ("voice", "commands", "recognised", "least sure")
        found = self.evaluation("commands")
        if found.is_empty():
            return Table.of(headers, [_none(headers)])
        right = (pl.col("word") == pl.col("said")).sum()
        voices = found.group_by("voice").agg(pl.len(), right=right, least=pl.col("probability").min()).sort("voice")
        rows = [
            (row["voice"], row["len"], row["right"], percent(row["least"], digits=0))
            for row in voices.iter_rows(named=True)
        ]
        return Table.of(headers, rows, numeric=(1, 2, 3))

    def speakers(self) -> Table:
        """Each speaker encoder: how often it confuses people, and how much of meetings it attributes wrongly."""
        headers = ("encoder", "equal error rate", "speakers", "recordings", "of meetings attributed wrongly")
        found, meetings = self.evaluation("speakers"), self.evaluation("meetings")
        rows = [
            (
                ENCODERS[row["encoder"]],
                shown_share(estimate(row, "eer", "low", "high")),
                count(row["speakers"]),
                count(row["recordings"]),
                percent(meetings.filter(encoder=row["encoder"])["error"].mean(), digits=0),  # type: ignore[arg-type]
            )
            for row in found.iter_rows(named=True)
        ]
        caption = (
            "In brackets 95 % intervals, drawn over speakers. Nobody who is judged on taught the one that is trained "
            "here; the published one learnt from thousands of people and from no synthetic voice."
        )
        return Table.of(headers, rows or [_none(headers)], caption=caption, numeric=range(1, 5))

    def questions(self) -> Players:
        """A few questions as they were spoken, each with the spoken reply."""
        turns = self.evaluation("transcript").filter(pl.col("spoken") & (pl.col("audio_s") > 0))
        played = [
            self._recorded(f"{kind}-{place}.wav", f"{title} {place}{note}", row[said])
            for place, row in enumerate(turns.head(PLAYED).iter_rows(named=True), 1)
            for kind, title, note, said in (
                ("question", "Question", ", understood as", "heard"),
                ("reply", "The reply to question", "", "said"),
            )
        ]
        return Players(played, NOTHING_SPOKEN)

    def meeting(self) -> Players:
        """How a meeting begins."""
        there = (self.path(AUDIO) / MEETING).is_file()
        return Players([self._recorded(MEETING, "A meeting, from its beginning")] if there else [], NO_MEETING)

    def _recorded(self, name: str, caption: str, text: str = "") -> Recorded:
        return Recorded(str(AUDIO / name), self.path(AUDIO / name).read_bytes(), caption, text)


def _length(spoken: pl.DataFrame) -> str:
    return quantity(float(spoken["seconds"].sum()) / 60, "min", digits=2)


def _none(headers: tuple[str, ...]) -> tuple[str, ...]:
    return ("none", *[MISSING] * (len(headers) - 1))
