"""The stub's configuration."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings


@settings
class TossSettings:
    """tosses: of the coin. chance: of heads."""

    tosses: Annotated[int, Field(ge=1, le=100_000)]
    chance: Annotated[float, Field(ge=0, le=1)]


@settings
class StubSections:
    """The sections below `stub` in params.yaml."""

    data: TossSettings


@settings
class StubConfig:
    """What params.yaml holds for the stub."""

    profile: Literal["smoke", "default", "full"]
    seed: Annotated[int, Field(ge=0)]
    stub: StubSections
