"""The person twin's configuration: the engines' settings, composed, and what a service of it is to hold."""

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import Field

from twinloop.config import Invalid, parse, settings
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.conversation.settings import ConversationSettings
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.dialogue.knowledge.settings import IndexSettings, ReadingSettings
from twinloop.dialogue.knowledge.tuning import check_space
from twinloop.dialogue.models.sentence_encoder import EncoderSettings
from twinloop.dialogue.persona.settings import PersonaSettings
from twinloop.dialogue.providers.registry import PROVIDERS, settings_type
from twinloop.dialogue.speech.commands.settings import CommandSettings
from twinloop.dialogue.speech.speakers.settings import SpeakerEncoderSettings
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.training.settings import EncoderTrainingSettings, SelectorTrainingSettings
from twinloop.learning.settings import StudySettings
from twinloop.search_space import Dimension

FICTIONAL = "src/twinloop/dialogue/synthetic/person.py"
# A role without a provider: without ears or voice the chain runs on text, without an encoder it finds by words, and
# without a language model answers are quotations.
NONE = "none"
# The encoder that the train stage learns from the person's own texts.
TRAINED = "trained"
# The speaker encoder whose weights are a package.
PUBLISHED = "resemblyzer"
Share = Annotated[float, Field(ge=0, le=1)]
Role = Literal["speech_to_text", "text_to_speech", "encoder", "language_model"]


@settings
class SpeakingSettings:
    """Questions and meetings that are spoken by this machine's synthesisers, as far as they are installed.

    questions: of those held out. meetings: of the person's. programs: synthesisers, in whose voices; those that are not
    installed are told and left out.
    """

    questions: Annotated[int, Field(ge=0, le=100_000)] = 60
    meetings: Annotated[int, Field(ge=0, le=100)] = 2
    programs: tuple[Literal["flite", "espeak"], ...] = ("flite", "espeak")


@settings
class SourceSettings:
    """fictional: a person who is nobody; recorded: what `source` holds, read as `reading` says.

    source: a file or folder, relative to the repository or absolute; for a fictional person the generator's own file.
    """

    kind: Literal["fictional", "recorded"] = "fictional"
    source: Annotated[str, Field(min_length=1)] = FICTIONAL
    fictional: PersonSettings = dataclasses.field(default_factory=PersonSettings)
    speaking: SpeakingSettings = dataclasses.field(default_factory=SpeakingSettings)
    reading: CorpusSettings = dataclasses.field(default_factory=CorpusSettings)
    documents: ReadingSettings = dataclasses.field(default_factory=ReadingSettings)


@settings
class ProviderSettings:
    """Who plays a role: a name of the registry, or none.

    settings: the provider's own. folder: where its weights lie, before packages and the hub's cache; empty for none.
    """

    name: Annotated[str, Field(min_length=1)] = NONE
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    folder: str = ""


@settings
class ProvidersSettings:
    """The providers of all roles. name: what this choice of them is called in tables.

    speakers: who tells voices apart: the encoder that is trained here, the published one, or nobody.
    """

    name: Annotated[str, Field(min_length=1)]
    speech_to_text: ProviderSettings
    text_to_speech: ProviderSettings
    encoder: ProviderSettings
    language_model: ProviderSettings
    speakers: Literal["trained", "resemblyzer", "none"] = "trained"

    def __post_init__(self) -> None:
        for role in ("speech_to_text", "text_to_speech", "encoder", "language_model"):
            _check(role, getattr(self, role))

    def provider(self, role: Role) -> ProviderSettings:
        """Who plays this role."""
        chosen: ProviderSettings = getattr(self, role)
        return chosen


def _check(role: Role, chosen: ProviderSettings) -> None:
    own = (NONE, TRAINED) if role == "encoder" else (NONE,)
    if chosen.name == NONE:
        return
    if chosen.name not in (*own, *PROVIDERS[role]):
        known = ", ".join((*own, *PROVIDERS[role]))
        raise ValueError(f"{role}.name = {chosen.name}: expected one of {known}")
    kind = EncoderSettings if chosen.name == TRAINED else settings_type(role, chosen.name)
    try:
        parse(kind, chosen.settings)
    except Invalid as error:
        raise ValueError(f"{role}.settings of {chosen.name}: {error}") from None


@settings
class RetrievalStudySettings(StudySettings):
    """A study of finding, on questions about documents that nothing else learns from.

    space: what may vary, such as retrieval.lexical and chunks.words.
    """

    space: dict[str, Dimension] = dataclasses.field(default_factory=dict)


@settings
class TrainSettings:
    """What is learnt from the person's texts and from synthetic voices.

    encoder: of questions and passages. selector: which sentence of a passage answers. commands: words that are
    recognised when they are spoken alone; none are learnt without synthesisers. voices: that speak each command and by
    whom speakers are learnt to be told apart, with `recordings` of each. false_refusals: share of answerable questions
    that the refusal may cost, by which it is calibrated.
    """

    encoder: EncoderTrainingSettings = dataclasses.field(default_factory=EncoderTrainingSettings)
    selector: SelectorTrainingSettings = dataclasses.field(default_factory=SelectorTrainingSettings)
    commands: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    voices: Annotated[int, Field(ge=2, le=1000)] = 12
    recogniser: CommandSettings = dataclasses.field(default_factory=CommandSettings)
    recordings: Annotated[int, Field(ge=2, le=1000)] = 4
    speakers: SpeakerEncoderSettings = dataclasses.field(default_factory=SpeakerEncoderSettings)
    false_refusals: Share = 0.1


@settings
class ExportSettings:
    """The gate that an encoder in 8 bits has to pass, and how its time is measured.

    most_ndcg_lost, most_hits_lost: against 32 bits, on validation questions; beyond, 32 bits are served.
    """

    most_ndcg_lost: Share = 0.01
    most_hits_lost: Share = 0.01
    latency_runs: Annotated[int, Field(ge=10, le=1_000_000)] = 100
    latency_warmup: Annotated[int, Field(ge=0, le=1_000_000)] = 5


@settings
class EvaluateSettings:
    """How the chain is judged. draws: of the bootstrap. most: questions of each kind that are put; 0 for all.

    extracts: answers on which the persona's sliders are judged. turns: of conversations whose parts are timed; up to a
    tenth of so many, and at most eight, are timed at once in batches.
    floor: recordings that pocketsphinx hears too, which takes several times as long as a small Whisper.
    voices: synthetic ones that are to be told apart, by `recordings` of each.
    """

    draws: Annotated[int, Field(ge=10, le=100_000)] = 1000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    most: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    extracts: Annotated[int, Field(ge=2, le=10_000)] = 20
    turns: Annotated[int, Field(ge=2, le=100_000)] = 100
    floor: Annotated[int, Field(ge=0, le=1_000_000)] = 12
    voices: Annotated[int, Field(ge=2, le=1000)] = 16
    recordings: Annotated[int, Field(ge=2, le=1000)] = 8


@settings
class ServiceSettings:
    """The service that people talk to.

    profile: the measured one that is simulated, relative to the repository: this run's, or an old one that is pinned.
    allow: what of it may differ from here (machine, cores, index, a provider's role), else it is refused. cores: of the
    machine; 0 for as many as the profile was measured with. target_s: within which `share` of all turns shall be
    answered. think_s: mean time between an answer and the next question. cost_core_hour, cost_gib_hour: of a machine.
    currency: of costs.
    """

    profile: Annotated[str, Field(min_length=1)] = "data/person/profile.parquet"
    allow: tuple[str, ...] = ()
    cores: Annotated[int, Field(ge=0, le=100_000)] = 0
    target_s: Annotated[float, Field(gt=0, le=3600)] = 1.5
    share: Annotated[float, Field(gt=0, lt=1)] = 0.95
    think_s: Annotated[float, Field(gt=0, le=86_400)] = 12.0
    cost_core_hour: Annotated[float, Field(ge=0)] = 0.04
    cost_gib_hour: Annotated[float, Field(ge=0)] = 0.005
    currency: str = "€"


@settings
class SimulateSettings:
    """How the service is simulated. people: at once, for whom workers and cost are found. hours: of a replication."""

    people: Annotated[int, Field(ge=1, le=100_000)] = 1000
    hours: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    warmup_hours: Annotated[float, Field(ge=0, le=1000)] = 0.2
    replications: Annotated[int, Field(ge=2, le=100_000)] = 20
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95


@settings
class ScheduleSettings:
    """Which meetings the twin attends.

    days: of the calendar, from its first event on. copies: of the twin; what up to most_copies would miss is told too.
    limit: CP-SAT's deterministic seconds.
    """

    days: Annotated[int, Field(ge=1, le=3660)] = 28
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    most_copies: Annotated[int, Field(ge=1, le=100)] = 4
    limit: Annotated[float, Field(gt=0, le=100_000)] = 4.0


@settings
class PersonSections:
    """The sections below `person` in params.yaml."""

    data: SourceSettings
    providers: ProvidersSettings
    index: IndexSettings
    answers: AnswerSettings
    persona: PersonaSettings
    conversation: ConversationSettings
    tune: RetrievalStudySettings
    train: TrainSettings
    export: ExportSettings
    evaluate: EvaluateSettings
    service: ServiceSettings
    simulate: SimulateSettings
    schedule: ScheduleSettings

    def __post_init__(self) -> None:
        check_space(self.index, self.tune.space)


@settings
class PersonConfig:
    """What params.yaml holds for the person."""

    profile: Literal["smoke", "default", "full"]
    seed: Annotated[int, Field(ge=0)]
    person: PersonSections

    @property
    def searched(self) -> tuple[str, ...]:
        """Paths of configured values that the search replaces."""
        return tuple(f"person.index.{path}" for path in self.person.tune.space) if self.person.tune.trials else ()
