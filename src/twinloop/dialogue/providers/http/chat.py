"""A language model behind an OpenAI-compatible chat interface."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.http.client import Service, ServiceSettings
from twinloop.dialogue.providers.http.tokens import counted_tokens, token_price
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Message, Written
from twinloop.dialogue.providers.surroundings import Surroundings

# What a service says of a text that it stopped itself: at the most tokens, or at its filter.
STOPPED = ("length", "content_filter")


@settings
class ChatSettings(ServiceSettings):
    """A chat service; temperature 0 asks it to repeat itself, which few services promise."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    price_per_million_tokens: Annotated[float, Field(ge=0)] = 0.0


class HttpLanguageModel:
    """Writes by a chat service."""

    def __init__(self, service: Service, settings: ChatSettings) -> None:
        self._service, self._settings = service, settings

    def complete(self, messages: Sequence[Message], *, most_tokens: int = 256) -> Written:
        """The next message of the assistant. Raises ProviderError where the service fails or answers no text."""
        usage = stopwatch()
        record = self._service.record(
            "chat/completions",
            {
                "model": self._settings.model,
                "messages": [{"role": message.role, "content": message.text} for message in messages],
                "max_tokens": most_tokens,
                "temperature": self._settings.temperature,
                "seed": self._settings.seed,
            },
        )
        try:
            choice = record["choices"][0]
            content, cut_off = choice["message"]["content"], choice.get("finish_reason") in STOPPED
        except (KeyError, IndexError, TypeError, AttributeError):
            content, cut_off = None, False
        # Who is stopped while still thinking has no content yet.
        text = self._service.text("" if cut_off and content is None else content, "choices[0].message.content")
        tokens = counted_tokens(record)
        price = token_price(tokens, self._settings.price_per_million_tokens)
        return Written(text, usage(tokens=tokens, price=price), cut_off)


def open_chat(settings: ChatSettings, surroundings: Surroundings) -> HttpLanguageModel:
    """A language model of a service; nothing is asked of it yet."""
    return HttpLanguageModel(Service("language model", settings, surroundings), settings)
