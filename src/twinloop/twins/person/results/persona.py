"""What it says and in which manner, for the page on persona and answers: refusals, sliders, style."""

from functools import cached_property
from typing import Any

import polars as pl

from twinloop.dialogue.persona.proxies import proxies
from twinloop.dialogue.persona.settings import SLIDERS
from twinloop.dialogue.persona.style import Style
from twinloop.numbers import MISSING, count, fixed, number, percent
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.person.results.base import PersonOutputs, shown_share

TYPED, OTHER = "typed", "other persona"
# A rank from which a slider is said to show.
AIM = 0.8
PROXIES = {
    "formality": "articles and prepositions against pronouns, verbs and adverbs (0 to 100)",
    "enthusiasm": "exclamation marks and words of delight",
    "verbosity": "words",
    "humour": "smileys and words that announce a joke",
}


class Persona(PersonOutputs):
    """What evaluate left about answers, refusals and manner."""

    def summary(self) -> Table:
        """Who answers, and how."""
        persona = self.described["persona"]
        rows = [
            ("answers as", self.described["name"] or "nobody in particular"),
            *((name, number(float(persona[name]), digits=2)) for name in SLIDERS),
            ("messages kept in mind", count(persona["context_messages"])),
            ("written style", self._style() or "not learnt: too few messages"),
            ("written by", self._writer()),
        ]
        return Table.of(("", "this persona"), rows)

    def _style(self) -> str:
        style = self.described["style"]
        return " ".join(Style(**style).described()) if style else ""

    def _writer(self) -> str:
        name = str(self.described["providers"]["language_model"]["name"])
        return "quotations of the documents" if name == "none" else f"{name}, held to the same citations"

    def answers(self) -> Table:
        """What becomes of questions with and without an answer."""
        rows = [
            ("answers right", self._share("hit"), "of the questions that can be answered"),
            ("answers right, spoken and recognised", self._share("hit_recognised"), "the same ones, heard"),
            ("faithful", self._share("faithfulness"), "of all statements stand in the sources that they cite"),
            ("rightly refused", self._share("refusal_recall"), "of the questions that nothing known answers"),
            ("wrongly refused", self._share("refusal_false"), "of the questions that can be answered"),
            ("answers lost to the persona", self._share("persona_hit_loss"), "of the same questions, paired"),
        ]
        caption = "In brackets 95 % intervals."
        return Table.of(("", "share", "of what"), rows, caption=caption, numeric=(1,))

    def _share(self, name: str) -> str:
        return shown_share(self.measured("evaluate", name))

    def refusals(self) -> dict[str, Any]:
        """Arguments of `figures.dialogue.refusals`."""
        return {"curve": self.evaluation("refusals"), "allowed": self.metrics("train").get("false_refusals")}

    def sliders(self) -> dict[str, Any]:
        """Arguments of `figures.dialogue.sliders`."""
        return {"ranks": self.evaluation("sliders"), "aim": AIM}

    def measures(self) -> Table:
        """What each slider is measured by, and how well it shows."""
        ranks = {row["slider"]: estimate(row, "rank", "low", "high") for row in self.evaluation("sliders").to_dicts()}
        rows = [
            (
                name,
                told,
                number(ranks[name].mean, digits=2) if name in ranks else MISSING,
                _verdict(ranks[name].low, ranks[name].high) if name in ranks else "not tried",
            )
            for name, told in PROXIES.items()
        ]
        return Table.of(("slider", "what a reader can count", "rank correlation", "shows"), rows, numeric=(2,))

    def manners(self) -> Table:
        """One question, answered with each slider at both ends and in the middle."""
        rows = [
            (
                row["slider"],
                number(row["value"], digits=1),
                fixed(getattr(proxies(row["text"]), row["slider"]), 0),
                row["text"],
            )
            for row in self.evaluation("manners").iter_rows(named=True)
        ]
        nothing = [("none", *[MISSING] * 3)]
        return Table.of(("slider", "at", "counted", "what is said"), rows or nothing, numeric=(1, 2))

    def cost(self) -> dict[str, Any]:
        """Arguments of `figures.dialogue.ways`: the same questions in another persona."""
        own = self.evaluation("ways").filter((pl.col("figure") == "hit") & pl.col("way").is_in([TYPED, OTHER]))
        title = "What does the manner cost?"
        return {"compared": own.sort(pl.col("way") != TYPED), "label": "answers right", "title": title}

    @cached_property
    def transcript(self) -> pl.DataFrame:
        """Turns of the evaluation's conversations (`dialogue.conversation.transcript`)."""
        return self.evaluation("transcript")

    def turns(self) -> Table:
        """What became of all turns."""
        all_ = self.transcript
        kinds = {
            "turns": pl.lit(value=True),
            "spoken": pl.col("spoken"),
            "answered with sources": ~pl.col("refused"),
            "refused": pl.col("refused") & (pl.col("failed") == ""),
            "failed": pl.col("failed") != "",
            "known from before": pl.col("cached"),
        }
        rows = [
            (name, count(len(own)), percent(len(own) / len(all_) if len(all_) else None))
            for name, own in ((name, all_.filter(which)) for name, which in kinds.items())
        ]
        return Table.of(("", "turns", "share"), rows, numeric=(1, 2))


def _verdict(low: float, high: float) -> str:
    if low >= AIM:
        return "clearly"
    return "too little" if high < AIM else "not sure whether enough"
