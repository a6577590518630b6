"""Settings of a persona: four sliders from 0 to 1, and how much of a conversation is kept in mind."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Slider = Annotated[float, Field(ge=0, le=1)]
SLIDERS = ("formality", "enthusiasm", "verbosity", "humour")


@settings
class PersonaSettings:
    """How answers are given; what they state never depends on it.

    formality: 0 as among friends, 1 as in a deed. enthusiasm: 0 dry, 1 delighted. verbosity: 0 the answer alone, 1 all
    that belongs to it. humour: 0 none, 1 a light remark wherever there is room. context_messages: the last ones, by
    which a short question is completed.
    """

    formality: Slider = 0.5
    enthusiasm: Slider = 0.3
    verbosity: Slider = 0.3
    humour: Slider = 0.1
    context_messages: Annotated[int, Field(ge=1, le=1000)] = 10
