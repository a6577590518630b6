"""Settings of fictional persons: how much each of them has. Another default gives other persons."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings


@settings
class PersonSettings:
    """One fictional person.

    documents: of the person and of those near, who have almost the same ones; pages: at most, of a PDF.
    own_share: of the documents, those of the person. unanswerable_share: of the questions. messages: sent and received.
    year: the last one of the documents and that of messages, calendar and meetings. speakers: in a meeting; topics: of
    each meeting, every one with a decision and an action.
    """

    documents: Annotated[int, Field(ge=12, le=2_000)] = 48
    pages: Annotated[int, Field(ge=1, le=20)] = 3
    own_share: Annotated[float, Field(ge=0.1, lt=1)] = 0.6
    unanswerable_share: Annotated[float, Field(ge=0, le=0.9)] = 0.2
    messages: Annotated[int, Field(ge=20, le=100_000)] = 160
    year: Annotated[int, Field(ge=1990, le=2100)] = 2026
    meetings: Annotated[int, Field(ge=0, le=100)] = 3
    speakers: Annotated[int, Field(ge=4, le=8)] = 4
    topics: Annotated[int, Field(ge=1, le=8)] = 4
