"""Settings of a workshop's book: how far ahead, what a visit costs, and how customers answer."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings

Share = Annotated[float, Field(ge=0, le=1)]


@settings
class BookingSettings:
    """How visits are booked.

    ahead: days from the first that can still be agreed. visit_cost: euro of a visit besides its components. stability:
    euro that a change must save before anybody is moved. answer_days: after which a proposal lapses. reserve: quantile
    of the failures on the road (low: 10 %, median, high: 90 %) for which minutes are kept. declines: share of proposals
    that customers refuse. days_limit: of the search for days, in deterministic seconds; visits_limit: of that for bays.
    """

    ahead: Annotated[int, Field(ge=1, le=365)] = 10
    visit_cost: Annotated[float, Field(ge=0)] = 60.0
    stability: Annotated[float, Field(ge=0)] = 5.0
    answer_days: Annotated[int, Field(ge=0, le=365)] = 2
    reserve: Literal["low", "median", "high"] = "high"
    declines: Share = 0.1
    days_limit: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    visits_limit: Annotated[float, Field(gt=0, le=100_000)] = 2.0
