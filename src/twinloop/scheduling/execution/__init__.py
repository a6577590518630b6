"""What becomes of a plan on the floor: executed under breakdowns, compared, priced, and hardened against them."""

from twinloop.scheduling.execution.disruptions import CALM, Disruptions, LateDeliveries, Rework
from twinloop.scheduling.execution.execution import execute, replicate
from twinloop.scheduling.execution.risk import Risks, assess
from twinloop.scheduling.execution.robust import Choice, Trial, candidates, choose, price_of_risk, price_of_slack
from twinloop.scheduling.execution.whatif import WhatIf, what_if, with_job, with_machine, with_shift, without_job

__all__ = [
    "CALM",
    "Choice",
    "Disruptions",
    "LateDeliveries",
    "Rework",
    "Risks",
    "Trial",
    "WhatIf",
    "assess",
    "candidates",
    "choose",
    "execute",
    "price_of_risk",
    "price_of_slack",
    "replicate",
    "what_if",
    "with_job",
    "with_machine",
    "with_shift",
    "without_job",
]
