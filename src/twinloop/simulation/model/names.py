"""What several descriptions share about names and shares: their types."""

from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][\w-]*$")]
Probability = Annotated[float, Field(ge=0, le=1)]
