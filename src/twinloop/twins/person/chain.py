"""The chain hear → find → answer → speak as it is served: a folder that holds a person's self, and how it is opened.

self.json says who it is, how it finds and answers, how it speaks and by which providers; index/ holds what it knows,
encoder/ the encoder that was learnt here, where that one finds, memory.parquet what it was told, and speakers.onnx
tells voices apart. Keys of services come from the environment and are read here, never in an engine.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from pydantic import SecretStr

from twinloop.config import Invalid, parse, settings
from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.generative import GenerativeAnswers
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.conversation.loop import Answers, Conversation, Self
from twinloop.dialogue.conversation.settings import ConversationSettings
from twinloop.dialogue.knowledge.files import MANIFEST as INDEX_MANIFEST
from twinloop.dialogue.knowledge.files import load_index, save_index
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.models.bert import BertShape
from twinloop.dialogue.models.sentence_encoder import TOKENIZER, WEIGHTS, EncoderSettings, SentenceEncoder
from twinloop.dialogue.persona.instructions import instructions
from twinloop.dialogue.persona.memory import Memory
from twinloop.dialogue.persona.settings import PersonaSettings
from twinloop.dialogue.persona.style import Style
from twinloop.dialogue.providers.protocols import Encoder, Message, SpeechToText, TextToSpeech
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import InputError
from twinloop.files import fingerprint, read_json, replacing, sha256, write_json
from twinloop.learning.weights import Places
from twinloop.twins.person.config import NONE, TRAINED, ProvidersSettings, Role

if TYPE_CHECKING:
    from twinloop.dialogue.speech.speakers.encoder import SpeakerEncoder

MANIFEST, INDEX, ENCODER, MEMORY = "self.json", "index", "encoder", "memory.parquet"
SPEAKERS = "speakers.onnx"
ROLES: tuple[Role, ...] = get_args(Role)
REMEDY = "run `make setup`, or choose person/providers=embedded"


@settings
class Described:
    """What self.json holds: who somebody is, and how their self finds, answers and speaks.

    heard: how questions are answered that are heard, where that is another way, as they are refused less easily.
    """

    name: str
    profile: dict[str, Any]
    index: IndexSettings
    answers: AnswerSettings
    persona: PersonaSettings
    conversation: ConversationSettings
    providers: ProvidersSettings
    shape: BertShape | None = None
    style: Style | None = None
    heard: AnswerSettings | None = None


@dataclass(frozen=True, eq=False)
class Chain:
    """A person's self with its providers opened; conversations with different people share it.

    to_heard: what answers questions that were heard, None for the same as those that are typed.
    """

    described: Described
    index: Index
    answers: Answers
    own: Self
    ears: SpeechToText | None
    voice: TextToSpeech | None
    digests: Mapping[str, str]
    to_heard: Answers | None = None

    def conversation(
        self,
        persona: PersonaSettings | None = None,
        *,
        history: Sequence[Message] = (),
        speak: bool = True,
        who: str = "",
    ) -> Conversation:
        """A new conversation, in another persona if one is given.

        history: messages that were exchanged before. speak: whether replies are spoken, where there is a voice. who:
        tells what is kept in memory, empty where nothing is kept.
        """
        own = self.own if persona is None else replace(self.own, persona=persona)
        answers, to_heard = (_in_manner(given, persona, own.style) for given in (self.answers, self.heard))
        return Conversation(
            self.index,
            answers,
            own,
            ears=self.ears,
            voice=self.voice if speak else None,
            settings=self.described.conversation,
            history=history,
            heard=to_heard,
            who=who,
        )

    @property
    def heard(self) -> Answers:
        """What answers questions that were heard."""
        return self.to_heard or self.answers


def _in_manner(answers: Answers, persona: PersonaSettings | None, style: Style | None) -> Answers:
    """The answers as another persona gives them, where a language model writes them."""
    if persona is None or not isinstance(answers, GenerativeAnswers):
        return answers
    return answers.spoken(instructions(persona, style))


def save_self(
    folder: Path,
    described: Described,
    index: Index,
    *,
    encoder: Path | None = None,
    memory: Memory | None = None,
    speakers: Path | None = None,
) -> None:
    """Write a self; the folder holds all of it or, on an error, what it held before.

    encoder: folder of the encoder that was learnt here, copied, where the index was made with it. speakers: the graph
    that tells voices apart, copied.
    """
    with replacing(folder) as fresh:
        write_json(fresh / MANIFEST, asdict(described))
        save_index(index, fresh / INDEX)
        (memory or Memory()).save(fresh / MEMORY)
        if encoder is not None:
            (fresh / ENCODER).mkdir()
            for name in (WEIGHTS, TOKENIZER):
                (fresh / ENCODER / name).write_bytes((encoder / name).read_bytes())
        if speakers is not None:
            (fresh / SPEAKERS).write_bytes(speakers.read_bytes())


def described_in(folder: Path) -> Described:
    """What a self says of itself. Raises InputError where there is none or it is not as it was written."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"self: {path}: there is none: run `python -m twinloop repro person`")
    try:
        return parse(Described, read_json(path))
    except Invalid as error:
        raise InputError(f"self: {path}: {error}: run the export stage again") from None


def open_self(
    folder: Path, providers: ProvidersSettings | None = None, *, speech: bool = True, mute: bool = False
) -> Chain:
    """The chain of a self. providers: instead of those that it was made with; another encoder than the index's is
    refused. speech: whether it hears and speaks; mute: it hears alone. Raises InputError or RunError for what cannot be
    had, naming it.
    """
    described = described_in(folder)
    chosen = providers or described.providers
    encoder = open_encoder(chosen, folder / ENCODER, described.shape)
    index = load_index(folder / INDEX, encoder, described.index)
    return opened_chain(described, index, Memory.load(folder / MEMORY), chosen, speech=speech, mute=mute)


def open_speakers(folder: Path) -> "SpeakerEncoder | None":
    """What tells voices apart in a self, None where it has nothing that does."""
    from twinloop.dialogue.speech.speakers.encoder import SpeakerEncoder

    return SpeakerEncoder(folder / SPEAKERS) if (folder / SPEAKERS).is_file() else None


def opened_chain(
    described: Described,
    index: Index,
    memory: Memory,
    providers: ProvidersSettings | None = None,
    *,
    speech: bool = True,
    mute: bool = False,
) -> Chain:
    """The chain over an index whose encoder is open; the rest as for `open_self`."""
    chosen = providers or described.providers
    own = Self(described.name, described.persona, described.style, memory)
    return Chain(
        described,
        index,
        open_answers(chosen, index, described.answers, own),
        own,
        cast(SpeechToText | None, opened(chosen, "speech_to_text")) if speech else None,
        cast(TextToSpeech | None, opened(chosen, "text_to_speech")) if speech and not mute else None,
        digests(chosen, index.encoder),
        _to_heard(chosen, index, described.heard),
    )


def _to_heard(providers: ProvidersSettings, index: Index, chosen: AnswerSettings | None) -> Answers | None:
    """Quotations for questions that were heard; a language model, which is opened once, answers both kinds alike."""
    return ExtractiveAnswers(index, chosen) if chosen is not None and providers.language_model.name == NONE else None


def open_encoder(providers: ProvidersSettings, learnt: Path, shape: BertShape | None) -> Encoder | None:
    """The encoder of these providers; `learnt` is the folder of the one that was learnt here, and `shape` its."""
    chosen = providers.encoder
    if chosen.name == TRAINED:
        own = parse(EncoderSettings, chosen.settings)
        return SentenceEncoder(learnt / WEIGHTS, learnt / TOKENIZER, own, shape=shape)
    return cast(Encoder | None, opened(providers, "encoder"))


def open_answers(providers: ProvidersSettings, index: Index, chosen: AnswerSettings, own: Self) -> Answers:
    """Quotations, or what a language model writes where there is one."""
    model = opened(providers, "language_model")
    if model is None:
        return ExtractiveAnswers(index, chosen)
    return GenerativeAnswers(index, model, chosen, manner=instructions(own.persona, own.style))


def writes(chain: Chain) -> bool:
    """Whether a language model writes its answers."""
    return chain.described.providers.language_model.name != NONE


def answers_in(chain: Chain, persona: PersonaSettings) -> Answers:
    """Its answers by another persona, as far as that is told to who writes them."""
    own = Self(chain.own.name, persona, chain.own.style, chain.own.memory)
    return open_answers(chain.described.providers, chain.index, chain.described.answers, own)


def index_digest(folder: Path) -> str:
    """SHA-256 over all that a self can find, as a service profile names it."""
    return sha256(folder / INDEX / INDEX_MANIFEST)


def opened(providers: ProvidersSettings, role: Role) -> Any:
    """Who plays a role, None for nobody. Raises InputError or RunError for what it needs and is not there."""
    chosen = providers.provider(role)
    if chosen.name == NONE:
        return None
    return open_provider(role, chosen.name, chosen.settings, _surroundings(role, chosen.folder))


def digests(providers: ProvidersSettings, encoder: Encoder | None) -> dict[str, str]:
    """Role → digest of who plays it: of the encoder what decides its vectors, else the configured name and settings."""
    named = {role: providers.provider(role) for role in ROLES}
    return {
        role: encoder.digest if role == "encoder" and encoder is not None else fingerprint(asdict(chosen))
        for role, chosen in named.items()
        if chosen.name != NONE
    }


def _surroundings(role: Role, folder: str) -> Surroundings:
    key = os.environ.get(f"TWINLOOP_{role.upper()}_KEY")
    places = Places(folder=Path(folder) if folder else None, hub_cache=hub_cache(), remedy=REMEDY)
    return Surroundings(places, SecretStr(key) if key else None)


def hub_cache() -> Path:
    """Where `huggingface_hub` keeps what it has fetched."""
    own = os.environ.get("HF_HUB_CACHE")
    home = os.environ.get("HF_HOME") or str(Path("~/.cache/huggingface").expanduser())
    return Path(own) if own else Path(home) / "hub"
