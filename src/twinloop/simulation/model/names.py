"""What several descriptions share about names: their type, and what to say when one is not known."""

import difflib
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][\w-]*$")]
Probability = Annotated[float, Field(ge=0, le=1)]


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, or all of them.

    >>> nearest("weldin", ["press", "welding"])
    "did you mean 'welding'?"
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"
