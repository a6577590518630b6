"""The inspection station's decisions, drawn from one draw of a measured operating curve.

Look k of a part of class c sees z = √ρ·u + √(1−ρ)·e_k and scores at quantile Φ(z) of its class (the
copula of contracts/operating_curve.py). Comparing z with Φ⁻¹ of the class's rates is the same and
needs no Φ per look.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

from twinloop.contracts import OperatingCurve


@dataclass(frozen=True)
class Gate:
    """What decides about a part: small, plain and quick to send to a worker.

    upper_share: [C] cumulative prevalence. accept_z, reject_z: [C] limits of z per class.
    """

    classes: tuple[str, ...]
    upper_share: tuple[float, ...]
    accept_z: tuple[float, ...]
    reject_z: tuple[float, ...]
    part_weight: float
    look_weight: float

    @classmethod
    def of(cls, curve: OperatingCurve, *, draw: int = 0) -> Self:
        """The gate of one draw at the curve's operating point; draw 0 is the estimate."""
        shares = np.cumsum(curve.prevalence / curve.prevalence.sum())
        return cls(
            classes=curve.classes,
            upper_share=(*shares[:-1].tolist(), 1.0),
            accept_z=tuple(ndtri(curve.accepted(draw=draw)).tolist()),
            reject_z=tuple(ndtri(1 - curve.rejected(draw=draw)).tolist()),
            part_weight=math.sqrt(curve.repeatability),
            look_weight=math.sqrt(1 - curve.repeatability),
        )
