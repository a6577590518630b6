"""A RiskTable from simulated wear: how likely machines of a known age fail within the plan.

Lives are drawn from each machine's wear process; those that have lasted to its age tell how many fail within each
horizon, with Wilson's interval. The same horizons for a new machine say what a maintenance leaves.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from twinloop.contracts import Risk, RiskTable
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.replication.statistics import wilson
from twinloop.replication.streams import Streams
from twinloop.simulation.model.wear import Wear
from twinloop.simulation.model.wear_path import WearPath

# Fewer lives that last to the machine's age say too little about what comes.
FEWEST = 20


def simulated_risks(
    wear: Mapping[str, Wear],
    *,
    age_min: Mapping[str, float],
    horizons_hours: Sequence[float],
    failure_cost: Mapping[str, float],
    severity: int = 5,
    lives: int = 1000,
    seed: int,
) -> RiskTable:
    """One row per machine and horizon.

    age_min: minutes of work so far, absent for a new machine; failure_cost: euro of one failure, by machine.
    Raises InputError for an age that hardly any life reaches.
    """
    risks = []
    for machine, process in wear.items():
        rng = Streams(seed, 0).generator(machine, "risk")
        drawn = np.array([WearPath.draw(process, rng).life_min for _ in range(lives)])
        age = age_min.get(machine, 0.0)
        left = drawn[drawn > age] - age
        if len(left) < FEWEST:
            raise InputError(
                f"risks: {machine}: {len(left)} of {lives} simulated lives reach the age of {age:g} min: "
                "expected a younger machine or a longer life"
            )
        for hours in horizons_hours:
            share = wilson(int((left <= hours * MINUTES_PER_HOUR).sum()), len(left))
            row = (machine, "wear", hours, share.mean, share.low, share.high, severity, failure_cost[machine])
            risks.append(Risk(*row))
    return RiskTable.of(risks)
