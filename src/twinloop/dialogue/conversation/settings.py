"""Settings of a conversation; free of every library that holds one."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings


@settings
class ConversationSettings:
    """cache: answers that are kept for questions asked again in the same words, 0 for none; recalled: sentences from
    earlier conversations that may answer where no document does; most_words: of a question that are looked for.
    """

    cache: Annotated[int, Field(ge=0, le=1_000_000)] = 256
    recalled: Annotated[int, Field(ge=0, le=10)] = 2
    most_words: Annotated[int, Field(ge=1, le=10_000)] = 200
