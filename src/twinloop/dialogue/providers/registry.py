"""The providers that may be named, per role; nothing else is opened.

A provider is one file and one entry here: the entry names a constructor in that file, which takes the provider's own
frozen settings and the surroundings. It is imported when it is opened, so that what one provider needs costs the others
nothing:

    def open_parrot(settings: ParrotSettings, surroundings: Surroundings) -> Parrot: ...
"""

import importlib
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from twinloop.config import Invalid, parse
from twinloop.dialogue.providers.protocols import Encoder, LanguageModel, SpeechToText, Storage, TextToSpeech
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import InputError, unknown

Role = Literal["speech_to_text", "text_to_speech", "encoder", "language_model", "storage"]
Entries = Mapping[str, str]
_SPEECH = "twinloop.dialogue.speech"
_HTTP, _LOCAL = "twinloop.dialogue.providers.http", "twinloop.dialogue.providers.local"

PROVIDERS: Mapping[Role, Entries] = MappingProxyType(
    {
        "speech_to_text": {
            "pocketsphinx": f"{_SPEECH}.recognisers.pocketsphinx:open_pocketsphinx",
            "whisper": f"{_SPEECH}.recognisers.whisper:open_whisper",
            "http": f"{_SPEECH}.recognisers.http:open_transcription",
            "local": f"{_SPEECH}.recognisers.local:open_recogniser",
        },
        "text_to_speech": {
            "flite": f"{_SPEECH}.voices.flite:open_flite",
            "espeak": f"{_SPEECH}.voices.espeak:open_espeak",
            "http": f"{_SPEECH}.voices.http:open_speech",
            "local": f"{_SPEECH}.voices.local:open_voice",
        },
        "encoder": {
            "minilm": "twinloop.dialogue.models.minilm:open_minilm",
            "http": f"{_HTTP}.embeddings:open_embeddings",
            "local": f"{_LOCAL}.encoding:open_encoder",
        },
        "language_model": {"http": f"{_HTTP}.chat:open_chat", "local": f"{_LOCAL}.writing:open_writer"},
        "storage": {"folder": "twinloop.dialogue.providers.files:open_folder"},
    }
)
PROTOCOLS: Mapping[Role, type] = MappingProxyType(
    {
        "speech_to_text": SpeechToText,
        "text_to_speech": TextToSpeech,
        "encoder": Encoder,
        "language_model": LanguageModel,
        "storage": Storage,
    }
)


def settings_type(role: Role, name: str) -> type:
    """The settings of a provider. Raises InputError for a name that is not among the role's."""
    return typing.get_type_hints(_constructor(role, name))["settings"]  # type: ignore[no-any-return]


def open_provider(role: Role, name: str, values: Mapping[str, Any], surroundings: Surroundings) -> Any:
    """A provider that fulfils the protocol of its role.

    values: of its settings, as a configuration holds them. Raises InputError for a name that is not among the role's
    and for values that do not fit, RunError where what it needs is not there.
    """
    constructor = _constructor(role, name)
    try:
        settings: Any = parse(settings_type(role, name), dict(values))
    except Invalid as error:
        raise InputError(f"providers: {role} {name}: {error}") from None
    provider = constructor(settings, surroundings)
    if not isinstance(provider, PROTOCOLS[role]):
        raise TypeError(f"{PROVIDERS[role][name]} opens no {PROTOCOLS[role].__name__}")
    return provider


def _constructor(role: Role, name: str) -> Callable[[Any, Surroundings], Any]:
    if role not in PROVIDERS:
        raise unknown("providers", role, PROVIDERS)
    if name not in PROVIDERS[role]:
        raise unknown(f"providers: {role}", name, PROVIDERS[role])
    module, _, constructor = PROVIDERS[role][name].partition(":")
    return getattr(importlib.import_module(module), constructor)  # type: ignore[no-any-return]
