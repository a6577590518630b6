"""What the stub's stages left, as its page shows it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from twinloop.twins.stub import paths
from twinloop.twins.stub.twin import TWIN

from twinloop.reporting.results import Outputs


class StubOutputs(Outputs):
    """The outputs of a stub's loop below one root."""

    metrics_files: ClassVar[Mapping[str, Path]] = {stage: TWIN.metrics(stage) for stage in ("prepare", "simulate")}

    def gains(self) -> NDArray[Any]:
        """What every toss earned: one, or minus one."""
        return np.where(self.table(paths.TOSSES)["heads"].to_numpy(), 1.0, -1.0)

    def sentence(self) -> str:
        """The stub's answer."""
        return f"Betting on heads earns {self.metrics('simulate')['gain']:+.2f} per toss."
