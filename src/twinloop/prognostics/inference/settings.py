"""Settings of holding exported graphs against what was trained."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings


@settings
class GraphSettings:
    """batches: sizes at which graphs are compared. latency_runs: timed calls after latency_warmup others."""

    batches: Annotated[tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(min_length=1)] = (1, 2, 7, 32)
    latency_runs: Annotated[int, Field(ge=10, le=1_000_000)] = 50
    latency_warmup: Annotated[int, Field(ge=0, le=1_000_000)] = 5
