"""One trial of a study of finding: all documents indexed by searched values, questions put that nothing learns from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.evaluation.questions import Asked, judged
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.document import Document
from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.knowledge.tuning import tuned
from twinloop.dialogue.models.bert import BertShape
from twinloop.learning.rounds import Report
from twinloop.twins.person.chain import open_encoder
from twinloop.twins.person.config import ProvidersSettings
from twinloop.twins.person.learning.objectives import OBJECTIVES
from twinloop.twins.person.learning.refusal import never_refusing

# What trials import, for the process that they fork from.
PRELOAD = ("twinloop.twins.person.learning.trial",)


@dataclass(frozen=True)
class RetrievalTrial:
    """Called with searched values, returns nDCG at 10 and the share of questions whose answer is quoted.

    learnt: folder of the encoder that is learnt here, with its shape, for where that one finds. The encoder is opened
    in the trial's own process; every piece of a document is encoded once.
    """

    documents: tuple[Document, ...]
    asked: tuple[Asked, ...]
    providers: ProvidersSettings
    learnt: Path
    shape: BertShape | None
    index: IndexSettings
    answers: AnswerSettings

    def __call__(self, values: Mapping[str, Any], report: Report) -> tuple[float, float]:
        index = Index(open_encoder(self.providers, self.learnt, self.shape), tuned(self.index, values))
        for document in self.documents:
            index.add(document)
        answers = ExtractiveAnswers(index, never_refusing(self.answers))
        frame = judged(index, answers.answer, self.asked)
        return tuple(float(frame[one.name].mean() or 0.0) for one in OBJECTIVES)  # type: ignore[return-value, arg-type]
