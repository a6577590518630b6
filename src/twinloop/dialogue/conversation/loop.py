"""A conversation: each turn goes through its parts, the last messages are its context, and a failing part ends a turn,
never the conversation.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from twinloop.dialogue.answering.answer import CUT_OFF, NOTHING_FOUND, Answer, Statement, cited
from twinloop.dialogue.answering.untrusted import instructs
from twinloop.dialogue.conversation.settings import ConversationSettings
from twinloop.dialogue.conversation.turn import NOTHING, Turn
from twinloop.dialogue.knowledge.index import Hit, Index
from twinloop.dialogue.persona.answer import Extract, Quote, Styled, composed
from twinloop.dialogue.persona.context import Context
from twinloop.dialogue.persona.memory import Memory, covered, only_tells, told_in
from twinloop.dialogue.persona.settings import PersonaSettings
from twinloop.dialogue.persona.style import Style
from twinloop.dialogue.persona.wording import worded
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import (
    Audio,
    Message,
    ProviderError,
    SpeechToText,
    TextToSpeech,
    Usage,
)
from twinloop.errors import InputError

NO_WORDS = "I heard no words."
NOTED = "I will keep that in mind."
NO_EARS = "I cannot hear here: please type it."
# The share of a question's words from which what was told before may answer it.
ENOUGH = 0.4
LOST = "I could not {doing}. Please try again."
DOING = {"hear": "hear that", "find": "look that up", "answer": "answer that"}


class Answers(Protocol):
    """Whatever answers from passages that were found; see `answering`."""

    @property
    def passages(self) -> int:
        """How many it looks through."""
        ...

    def answer(self, question: str, hits: Sequence[Hit], history: Sequence[Message] = ()) -> Answer:
        """The answer. Raises ProviderError where what writes it fails."""
        ...


@dataclass(frozen=True)
class Self:
    """Whose self answers: who they are, how they speak, and what they were told before."""

    name: str = ""
    persona: PersonaSettings = PersonaSettings()  # noqa: RUF009 – frozen
    style: Style | None = None
    memory: Memory | None = None


class Conversation:
    """Turns with one person. Without a voice replies stay text; without ears recordings are declined.

    history: messages that were exchanged before. heard: what answers questions that were heard, where that is another:
    what is misheard is missing from a question, so that one is less sure of its answer. who: tells what is kept in
    memory for the turns that follow, empty where nothing is kept.
    """

    def __init__(
        self,
        index: Index,
        answers: Answers,
        own: Self | None = None,
        *,
        ears: SpeechToText | None = None,
        voice: TextToSpeech | None = None,
        settings: ConversationSettings | None = None,
        history: Sequence[Message] = (),
        heard: Answers | None = None,
        who: str = "",
    ) -> None:
        self._index, self._answers, self._own = index, answers, own or Self()
        self._ears, self._voice, self._settings = ears, voice, settings or ConversationSettings()
        self._context = Context(self._own.persona.context_messages)
        for message in history:
            self._context.add(message)
        self._to_heard, self._who, self._began = heard or answers, who, datetime.now(UTC).isoformat()
        self._known: OrderedDict[tuple[str, bool], Answer] = OrderedDict()
        self._turns: list[Turn] = []

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns so far, failed ones too."""
        return tuple(self._turns)

    def say(self, asked: str | Audio) -> Turn:
        """One turn: a text that was typed or a recording, answered. What fails is told in the turn."""
        usage: dict[str, Usage] = {}
        turn = _Draft(len(self._turns), not isinstance(asked, str), usage)
        try:
            turn.heard = self._heard(asked, usage)
            self._reply(turn)
        except ProviderError as error:
            turn.failed = f"{turn.part}: {error}"
            turn.said = LOST.format(doing=DOING[turn.part])
        # What went wrong is said aloud too.
        if self._voice is not None:
            try:
                turn.audio, usage["speak"] = self._voice.speak(turn.said)
            except (ProviderError, InputError) as error:
                # A text may be nothing that this voice can say: its words stand.
                turn.failed = turn.failed or f"speak: {error}"
        finished = turn.finished()
        self._turns.append(finished)
        return finished

    def _heard(self, asked: str | Audio, usage: dict[str, Usage]) -> str:
        if isinstance(asked, str):
            return asked
        if self._ears is None:
            return ""
        text, usage["hear"] = self._ears.transcribe(asked)
        return text

    def _reply(self, turn: "_Draft") -> None:
        turn.part = "find"
        if turn.spoken and not turn.heard.strip():
            turn.said = NO_EARS if self._ears is None else NO_WORDS
            return
        history = self._context.messages
        resolved = self._context.add(Message("user", turn.heard))
        turn.question = _cut(resolved.question, self._settings.most_words)
        if resolved.unclear:
            turn.said = resolved.unclear
            turn.answer = Answer(turn.question, (), reason=resolved.unclear)
        else:
            turn.answer = self._answered(turn, history)
            measured = stopwatch()
            styled = self._worded(turn.question, turn.answer, recalled=not only_tells(turn.heard))
            turn.said, turn.citations = styled.text, tuple(dict.fromkeys(one.citation for one in styled.cited))
            self._keep(turn)
            turn.usage["answer"] = turn.usage.get("answer", NOTHING) + measured()
        self._context.add(Message("assistant", turn.said))

    def _answered(self, turn: "_Draft", history: Sequence[Message]) -> Answer:
        answers = self._to_heard if turn.spoken else self._answers
        key = " ".join(turn.question.casefold().split()), turn.spoken
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            turn.cached = True
            return known
        measured = stopwatch()
        if turn.spoken:
            turn.question = self._index.spelt(turn.question)
        hits = self._index.search(turn.question, answers.passages)
        turn.usage["find"], turn.part = measured(), "answer"
        measured = stopwatch()
        answer = answers.answer(turn.question, hits, history)
        turn.usage["answer"] = measured()
        self._known[key] = answer
        while len(self._known) > self._settings.cache:
            self._known.popitem(last=False)
        return answer

    def _keep(self, turn: "_Draft") -> None:
        """Keep what was told and instructs nobody; who asked nothing and gets no answer is not refused one."""
        memory = self._own.memory
        if memory is None or not self._who:
            return
        facts = " ".join(fact for fact in told_in(turn.heard) if not instructs(fact))
        turn.kept = memory.add(facts, who=self._who, time=datetime.now(UTC), conversation=self._began) > 0
        if turn.kept and not turn.citations and only_tells(turn.heard):
            turn.said, turn.noted = NOTED, True

    def _worded(self, question: str, answer: Answer, *, recalled: bool) -> Styled:
        """The answer in the persona's words; what earlier conversations told, where no document answers.

        recalled: whether that may be, as what only tells asks for nothing that was told.
        """
        said = tuple(_quote(one) for one in answer.statements)
        more: tuple[Quote, ...] = ()
        if said and not answer.statements[0].quoted:
            # A language model was told how to speak; its sentences stand as they are, each with its source.
            return composed([*said, CUT_OFF if answer.cut_off else ""])
        if not said and recalled and self._own.memory is not None:
            # A word or two in common is no answer: a good part of what was asked for must have been told.
            found = self._own.memory.recall(question, self._settings.recalled, scorer=_told, least=ENOUGH)
            said, more = found[:1], found[1:]
        if not said and answer.reason != NOTHING_FOUND:
            # Without documents, or without a question, documents do not "say nothing about it".
            return composed([answer.reason])
        return worded(Extract(question, said, more), self._own.persona, self._own.style)


def _told(question: str, texts: Sequence[str]) -> list[float]:
    """The share of a question's words that each text covers; none of one that instructs its reader, as in documents."""
    shares = covered(question, texts)
    return [0.0 if share > ENOUGH and instructs(text) else share for share, text in zip(shares, texts, strict=True)]


def _quote(statement: Statement) -> Quote:
    citation = statement.citation
    return Quote(statement.text, cited(citation), f"{citation.name}, page {citation.page}")


class _Draft:
    """A turn while it is made."""

    def __init__(self, number: int, spoken: bool, usage: dict[str, Usage]) -> None:
        self.number, self.spoken, self.usage = number, spoken, usage
        self.part, self.heard, self.question, self.said, self.failed = "hear", "", "", "", ""
        self.answer: Answer | None = None
        self.citations: tuple[str, ...] = ()
        self.audio: Audio | None = None
        self.cached = self.kept = self.noted = False

    def finished(self) -> Turn:
        return Turn(
            self.number,
            self.spoken,
            self.heard,
            self.question,
            self.said,
            self.answer,
            self.citations,
            self.usage,
            self.audio,
            self.cached,
            self.failed,
            self.kept,
            self.noted,
        )


def _cut(text: str, words: int) -> str:
    """The first words of a question that is pages long: what it asks for stands there or nowhere."""
    return " ".join(text.split()[:words])
