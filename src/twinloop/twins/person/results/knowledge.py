"""What it knows and how well it finds it, for the page on retrieval: judged on questions that nothing learnt from."""

from functools import cached_property
from pathlib import PurePath
from typing import Any

import polars as pl

from twinloop.dialogue.datasets.corpus import SPLITS
from twinloop.numbers import MISSING, count, fixed, number, percent, quantity
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.person import paths
from twinloop.twins.person.results.base import PersonOutputs, shown, shown_share

TYPED = "typed"
# Ways to find: what each leaves out or takes instead of what is configured.
FINDING = {
    TYPED: "as configured: words and meaning together",
    "by words": "without an encoder: by the words alone (BM25)",
    "own encoder": "the meaning by the small encoder that was learnt here from the person's own texts",
    "paraphrased": "as configured, each question in other words",
}
LEAKY = "leaky"
# Figures of a way, and how they are called.
FIGURES = {"ndcg": "nDCG@10", "recall": "recall@10", "hit": "answers right", "f1": "token F1"}
SAYS = {
    "ndcg": "the right passages come first; 1 is perfect",
    "recall": "share of the right passages among the first ten",
    "hit": "what is said holds the right answer, word by word",
    "f1": "words that what is said and the right answer share; low where whole sentences are quoted",
}
# What there is of each of the corpus' tables.
KINDS = {
    "documents": "documents",
    "meetings": "meetings",
    "turns": "turns in them",
    "messages": "messages",
    "events": "appointments",
    "recordings": "recordings",
    "questions": "questions",
    "evidence": "passages that answer them",
}
FEATURES = {
    "words": "share of the question's words that it says, rare ones more",
    "meaning": "nearness of its meaning to that of the question",
    "left": "the same for what is left of the question without what the whole document is about",
    "context": "share of the question's words in it or the sentence before it",
    "kind": "has a number, time, name, place or reason where one is asked for",
    "passage": "how well its passage was found",
    "document": "share of the question's words that its document says",
    "names": "share of the question's names and numbers that its document says",
    "asking": "is a question itself",
}
# Ranks at which the first right passage may stand, to the last of each kind.
RANKS = ((1, "first"), (2, "second"), (3, "third"), (10, "fourth to tenth"))
MISSED, LETTERS = 8, 160
# Formats of the encoder, by the names of latency.json.
FORMATS = ("float32", "int8")


class Knowledge(PersonOutputs):
    """What prepare, export and evaluate left about documents, questions and what is found."""

    @cached_property
    def questions(self) -> pl.DataFrame:
        """The dataset's questions."""
        return self.dataset("questions")

    @cached_property
    def judged(self) -> pl.DataFrame:
        """A row per way and question (`dialogue.evaluation.questions.JUDGED`)."""
        return self.evaluation("judged")

    @cached_property
    def compared(self) -> pl.DataFrame:
        """A row per way and figure (`dialogue.evaluation.side_by_side`)."""
        return self.evaluation("ways")

    @property
    def encoder(self) -> str:
        """Whose vectors find by meaning, by the configuration."""
        return str(self.described["providers"]["encoder"]["name"])

    def summary(self) -> Table:
        """How well it finds and answers, typed."""
        own = {row["figure"]: row for row in self.compared.filter(way=TYPED).iter_rows(named=True)}
        rows = [
            (FIGURES[name], shown(estimate(own[name], "mean", "low", "high")), SAYS[name])
            for name in FIGURES
            if name in own
        ]
        asked = self.judged.filter(way=TYPED)
        faithful = shown_share(self.measured("evaluate", "faithfulness"))
        rows += [
            ("faithfulness", faithful, "share of all statements that stand in the sources they cite"),
            ("questions", count(len(asked)), f"{count(len(asked.filter('answerable')))} of them can be answered"),
        ]
        caption = "In brackets 95 % intervals, drawn over documents: two questions on one are not independent."
        return Table.of(("figure", "test questions", "what it says"), rows, caption=caption, numeric=(1,))

    def known(self) -> Table:
        """What the person has, by kind."""
        counts = self.prepared["counts"]
        rows = [(told, count(counts[name])) for name, told in KINDS.items() if name in counts]
        kinds = self.dataset("documents").select(
            pl.col("document").map_elements(lambda name: PurePath(name).suffix.lstrip(".").upper(), pl.String)
        )["document"]
        told = ", ".join(
            f"{kind or 'other'} {count(number_)}" for kind, number_ in kinds.value_counts().sort("document").iter_rows()
        )
        return Table.of(("", "how many"), [*rows, ("documents by format", told or "none")], numeric=(1,))

    def divided(self) -> Table:
        """How documents and questions were divided."""
        documents = self.dataset("documents")
        rows = []
        for split in SPLITS:
            asked = self.questions.filter(split=split)
            answered = asked.filter(pl.col("answer") != "")
            rows.append(
                (
                    split,
                    count(len(documents.filter(split=split))),
                    count(len(asked)),
                    count(len(answered)),
                    count(asked["template"].n_unique()),
                )
            )
        headers = ("part", "documents", "questions", "of them with an answer", "templates")
        return Table.of(headers, rows, caption=self.leaks(), numeric=range(1, 5))

    def leaks(self) -> str:
        """In a sentence: whether anything is on two sides."""
        found = self.prepared["leaks"]
        sides = "on two sides of the split"
        return f"Leaks: {found} {sides}." if found else f"No document, speaker or template is {sides}: this is checked."

    def ways(self, figure: str = "ndcg") -> dict[str, Any]:
        """Arguments of `figures.dialogue.ways`: the ways to find, as far as they were tried."""
        own = self.compared.filter((pl.col("figure") == figure) & pl.col("way").is_in(list(FINDING)))
        ordered = own.sort(pl.col("way").replace_strict({name: place for place, name in enumerate(FINDING)}))
        return {"compared": ordered, "label": FIGURES[figure], "title": "Which way finds?", "share": figure == "hit"}

    def meanings(self) -> Table:
        """What the ways to find are."""
        tried = set(self.compared["way"])
        rows = [(name, told) for name, told in FINDING.items() if name in tried]
        return Table.of(("way", "how it finds"), rows)

    def figures(self) -> Table:
        """Every way that was tried, with all its figures and the differences that are sure."""
        rows = []
        for way in dict.fromkeys(self.compared["way"]):
            own = {row["figure"]: row for row in self.compared.filter(way=way).iter_rows(named=True)}
            rows.append((way, *(_with_difference(own.get(name)) for name in FIGURES)))
        caption = "Behind each figure its paired difference to the typed question, where that is sure."
        return Table.of(("way", *FIGURES.values()), rows, caption=caption, numeric=range(1, 5), emphasis=(0,))

    def ranks(self) -> Table:
        """At which place of the search the first right passage stands."""
        own = self.judged.filter((pl.col("way") == TYPED) & pl.col("answerable"))
        places = (1 / own["reciprocal_rank"].replace(0.0, None)).round()
        rows, before = [], 0
        for last, name in RANKS:
            there = int(((places > before) & (places <= last)).sum())
            rows.append((name, count(there), percent(there / len(own) if len(own) else None)))
            before = last
        gone = places.null_count()
        rows.append(("not among ten", count(gone), percent(gone / len(own) if len(own) else None)))
        return Table.of(("the first right passage stands", "questions", "share"), rows, numeric=(1, 2))

    def missed(self) -> Table:
        """Questions whose answer was there and was not said, those that found least first."""
        headers = ("question", "right answer", "nDCG@10", "said")
        own = self.judged.filter((pl.col("way") == TYPED) & pl.col("answerable") & (pl.col("hit") == 0))
        worst = (
            own.sort("ndcg", "question")
            .head(MISSED)
            .join(self.questions.select("question", "text", "answer"), on="question", how="left", maintain_order="left")
        )
        rows = [
            (
                _cut(row["text"] or row["question"]),
                _cut(row["answer"] or MISSING),
                number(row["ndcg"], digits=2),
                "nothing: refused" if row["refused"] else "something else",
            )
            for row in worst.iter_rows(named=True)
        ]
        caption = f"{count(len(own))} answers were missed; of these the {count(len(worst))} for which least was found."
        return Table.of(headers, rows or [("none", *[MISSING] * 3)], caption=caption, numeric=(2,))

    def promised(self) -> Table:
        """What a careless split would have promised, beside what holds."""
        headers = ("split", "answers right", "what it means")
        own, typed, leaky = (self.measured("evaluate", name) for name in ("hit_own", "hit", "leaky_hit"))
        # The encoder that was learnt here either is one of the ways to find, or it is the configured one.
        honest = own or typed
        if leaky is None:
            return Table.of(headers, [("by row", MISSING, "not measured: the data came with a split of their own")])
        gained = None if honest is None else fixed(100 * (leaky.mean - honest.mean), 1, sign=True)
        rows = [
            (
                "by document and template",
                shown_share(honest),
                "what is kept: its document and its template were not learnt from",
            ),
            ("by row", shown_share(leaky), "what is only promised: either may have been learnt from"),
            (
                "difference",
                f"{gained or MISSING} points",
                "what the split makes of it; the questions are others",
            ),
        ]
        return Table.of(headers, rows, numeric=(1,))

    def chosen_by(self) -> Table:
        """What makes a sentence the answer: the weight of each feature, and how its learning ended."""
        weights, trained = self.described["answers"]["selector"], self.metrics("train")
        rows = [(name, number(weights[name], digits=2), told) for name, told in FEATURES.items()]
        caption = "Set by hand: too few questions to learn from."
        if trained["selector_hit_learnt"] is not None:
            learnt, by_hand = (percent(trained[f"selector_hit_{way}"]) for way in ("learnt", "by_hand"))
            caption = (
                f"In use: {trained['selector']}. Answers right on validation questions: {learnt} learnt, {by_hand} by "
                f"hand; paired difference {shown_share(estimate(trained, 'selector_gain'), sign=True)}."
            )
        return Table.of(("feature", "weight", "what it is"), rows, caption=caption, numeric=(1,))

    def curves(self) -> dict[str, Any]:
        """Arguments of `figures.training.learning_curves`: the course of the encoder that was learnt here."""
        history = self.table(paths.LEARNT / "history.parquet")
        return {
            "epochs": history["epoch"].to_list(),
            "losses": {"training": history["loss"].to_list()},
            "scores": {"reciprocal rank": history["reciprocal_rank"].to_list()},
            "kept": int(self.metrics("train")["best_epoch"]),
        }

    def gate(self) -> dict[str, Any]:
        """Arguments of `figures.dialogue.gate`."""
        found, times = self.metrics("export"), self.json(paths.LATENCY)
        rows = [
            {
                "format": name,
                "nDCG@10": found[f"{name}_ndcg"],
                "answers right": found[f"{name}_hit"],
                "p50_ms": times[name]["p50_ms"],
                "p95_ms": times[name]["p95_ms"],
            }
            for name in FORMATS
            if name in times and found.get(f"{name}_ndcg") is not None
        ]
        allowed = {"nDCG@10": found["most_ndcg_lost"], "answers right": found["most_hit_lost"]} if rows else {}
        return {"formats": pl.DataFrame(rows), "allowed": allowed, "served": str(found["format"])}

    def formats(self) -> Table:
        """The encoder in 32 and 8 bits: what is found by it, how long a question takes."""
        found, times = self.metrics("export"), self.json(paths.LATENCY)
        headers = ("format", "nDCG@10", "answers right", "median", "95 % within", "speed")
        rows = [
            (
                name + (" (served)" if name == found["format"] else ""),
                number(found.get(f"{name}_ndcg")),
                percent(found.get(f"{name}_hit")),
                quantity(times[name]["p50_ms"], "ms"),
                quantity(times[name]["p95_ms"], "ms"),
                f"{number(times[name]['speedup'])} ×",
            )
            for name in FORMATS
            if name in times
        ]
        machine = times.get("hardware", {})
        caption = f"One question at a time, on {machine['cpu']}." if "cpu" in machine else ""
        return Table.of(headers, rows or [("none", *[MISSING] * 5)], caption=caption, numeric=range(1, 6))


def _with_difference(row: dict[str, Any] | None) -> str:
    if row is None:
        return MISSING
    value = number(row["mean"])
    if row["difference"] is None or row["difference_low"] <= 0 <= row["difference_high"]:
        return value
    return f"{value} ({number(row['difference'], digits=2, sign=True)})"


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1].rstrip() + "…"
