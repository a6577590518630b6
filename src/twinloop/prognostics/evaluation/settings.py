"""Settings of what is held out, and of how foretelling is judged."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Share = Annotated[float, Field(gt=0, lt=1)]


@settings
class SplitSettings:
    """What is learnt from and what is judged on share neither assets nor time.

    test_share: of the assets. time_share: of the time, at its end, on which those are judged. gap_days: before it that
    belong to nobody; no label may look across, so at least the horizon. Test assets that a source names are judged on
    all of their time.
    """

    test_share: Share = 0.3
    time_share: Share = 0.5
    gap_days: Annotated[float, Field(ge=0)] = 14.0


@settings
class EvaluateSettings:
    """How probabilities are judged.

    draws: bootstrap draws over assets and lives. thresholds: of each alert curve. false_alarms: per asset and month,
    at which recall and lead time are read; where alerts are given. least: probability from which there is a diagnosis.
    """

    draws: Annotated[int, Field(ge=10, le=100_000)] = 100
    thresholds: Annotated[int, Field(ge=3, le=10_000)] = 40
    false_alarms: Annotated[float, Field(gt=0)] = 0.5
    least: Annotated[float, Field(ge=0, le=1)] = 0.1
