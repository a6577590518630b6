"""A language model of this machine. It takes the likeliest token each time: the same messages, the same text."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.local.model import LocalSettings, folder_of, opening, working
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Message, Written
from twinloop.dialogue.providers.surroundings import Surroundings


@settings
class LocalWriterSettings(LocalSettings):
    """tokens: of a prompt that are read; of a longer one the end, where the question stands."""

    tokens: Annotated[int, Field(ge=16, le=1_000_000)] = 4096


class LocalLanguageModel:
    """Writes by a causal language model."""

    def __init__(self, model: Any, tokenizer: Any, settings: LocalWriterSettings) -> None:
        self._model, self._tokenizer, self._settings = model, tokenizer, settings

    def complete(self, messages: Sequence[Message], *, most_tokens: int = 256) -> Written:
        """The next message of the assistant. Raises ProviderError where the model fails."""
        usage = stopwatch()
        with working(self._settings):
            asked = self._tokenizer(self._prompt(messages), return_tensors="pt", add_special_tokens=False)
            room = min(self._settings.tokens, self._longest - most_tokens)
            ids = asked["input_ids"][:, -max(room, 1) :].to(self._model.device)
            padding = self._tokenizer.pad_token_id
            written = self._model.generate(
                ids,
                attention_mask=ids.new_ones(ids.shape),
                max_new_tokens=most_tokens,
                do_sample=False,
                pad_token_id=self._tokenizer.eos_token_id if padding is None else padding,
            )[0]
            new = written[ids.shape[1] :].tolist()
            text = self._tokenizer.decode(new, skip_special_tokens=True)
        cut_off = len(new) == most_tokens and new[-1] != self._tokenizer.eos_token_id
        return Written(text.strip(), usage(tokens=len(written)), cut_off)

    @property
    def _longest(self) -> int:
        return int(getattr(self._model.config, "max_position_embeddings", None) or 1_000_000)

    def _prompt(self, messages: Sequence[Message]) -> str:
        if self._tokenizer.chat_template is None:
            return "\n".join([*(f"{message.role}: {message.text}" for message in messages), "assistant:"])
        turns = [{"role": message.role, "content": message.text} for message in messages]
        prompt: str = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return prompt


def open_writer(settings: LocalWriterSettings, surroundings: Surroundings) -> LocalLanguageModel:
    """The model. Raises InputError or RunError where it is not to be had."""
    folder = folder_of(settings, surroundings)
    with opening(settings):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, **settings.reading)
        model: Any = AutoModelForCausalLM.from_pretrained(folder, **settings.tensors)
        return LocalLanguageModel(model.to(settings.device).eval(), tokenizer, settings)
