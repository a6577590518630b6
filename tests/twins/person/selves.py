"""Small selves of a fictional person, without a loop: by words, and with ears and voice where these are wanted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinloop.config import settings
from twinloop.dialogue.answering.settings import AnswerSettings, RefusalSettings
from twinloop.dialogue.conversation.settings import ConversationSettings
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.persona.settings import PersonaSettings
from twinloop.dialogue.providers import registry
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Audio, Heard, ProviderError, Spoken
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.twins.person import config
from twinloop.twins.person.chain import Described, save_self
from twinloop.twins.person.config import ProviderSettings, ProvidersSettings

FACTS = {
    "contract.txt": "The warranty on the pump ends on 3 March 2027. It covers parts and labour.",
    "oven.txt": "The oven in April cost 400 euros. The oven in May cost 350 euros.",
    "boat.txt": "The boat was painted red by Carla. It lies in the harbour of Husum.",
}
# Without an encoder nothing is known of meaning.
BY_WORDS = AnswerSettings(statements=1, refusal=RefusalSettings(meaning=0.0, offset=-1.5))


def providers(**roles: Any) -> ProvidersSettings:
    """Nobody in any role but those that are named."""
    named = {role: ProviderSettings(name=name) if isinstance(name, str) else name for role, name in roles.items()}
    everyone = ("speech_to_text", "text_to_speech", "encoder", "language_model")
    return ProvidersSettings(name="tests", **{role: named.get(role, ProviderSettings()) for role in everyone})


def small_self(folder: Path, facts: dict[str, str] | None = None, **roles: Any) -> Path:
    """The folder of a self that knows a few facts by their words."""
    index = Index(None, IndexSettings())
    for name, text in (FACTS if facts is None else facts).items():
        index.add(parse_document(name, text.encode()))
    described = Described(
        name="Ada Berg",
        profile={"name": "Ada Berg"},
        index=IndexSettings(),
        answers=BY_WORDS,
        persona=PersonaSettings(),
        conversation=ConversationSettings(),
        providers=providers(**roles),
    )
    save_self(folder, described, index)
    return folder


@settings
class ParrotSettings:
    """A parrot has none."""


class Parrot:
    """Hears always the same, and speaks a tenth of a second per word; the first calls may fail."""

    hears, fails = "", 0

    def transcribe(self, audio: Audio) -> Heard:
        measured = stopwatch()
        self.fail_once()
        return Heard(self.hears, measured(audio_seconds=audio.seconds))

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        measured = stopwatch()
        self.fail_once()
        audio = Audio(np.zeros(1600 * len(text.split()), np.float32), 16_000)
        return Spoken(audio, measured(audio_seconds=audio.seconds))

    def fail_once(self) -> None:
        if Parrot.fails:
            Parrot.fails -= 1
            raise ProviderError("parrot: no answer within 5 s")

    @classmethod
    def install(cls, patch: pytest.MonkeyPatch, *, hears: str = "", fails: int = 0) -> None:
        """Enter the parrot among the providers, as one file and one entry."""
        patch.setattr(cls, "hears", hears)
        patch.setattr(cls, "fails", fails)
        entry = {"parrot": f"{__name__}:open_parrot"}
        roles = {role: dict(entries) for role, entries in registry.PROVIDERS.items()}
        for role in ("speech_to_text", "text_to_speech"):
            roles[role] |= entry
        for module in (registry, config):
            patch.setattr(module, "PROVIDERS", roles)


def open_parrot(settings: ParrotSettings, surroundings: Surroundings) -> Parrot:
    """The parrot."""
    return Parrot()
