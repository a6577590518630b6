"""Alarms when what the camera sends, or what the detector makes of it, is no longer what was measured."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.learning.drift import DriftAlarm, DriftMonitor
from twinloop.learning.drift_settings import DriftSettings
from twinloop.vision.inference.predict import Prediction, fit_image
from twinloop.vision.monitoring.reference import STOPPED, STRANGE, STRANGE_RATE, DriftReference
from twinloop.vision.monitoring.statistics import Observations, observe


class PictureMonitor(DriftMonitor):
    """Collects images until a window is full, then compares it with the reference.

    settings: those of the reference unless given. `windows` holds every comparison so far.

    >>> monitor = PictureMonitor(DriftReference.load("drift_reference.json"))  # doctest: +SKIP
    >>> monitor.watch(images, detector.predict_batch(images))  # doctest: +SKIP
    ()
    """

    def __init__(self, reference: DriftReference, settings: DriftSettings | None = None) -> None:
        values = {**reference.values, STOPPED: reference.stopped, STRANGE: np.zeros(len(reference.stopped), np.bool_)}
        super().__init__(values, settings or reference.settings, samples="images", rates={STRANGE: STRANGE_RATE})
        self.reference = reference

    def watch(self, images: Sequence[NDArray[np.uint8]], predictions: Sequence[Prediction]) -> tuple[DriftAlarm, ...]:
        """Take images of any size with what the detector said of them; returns the alarms of windows now full.

        Raises InputError for predictions that were made without an operating point.
        """
        if not images:
            return ()
        if any(prediction.decision is None for prediction in predictions):
            raise InputError("drift: expected predictions with a decision: give the detector its operating point")
        size, channels = self.reference.size, self.reference.channels
        return self.watch_observed(
            observe(
                np.stack([fit_image(image, size=size, channels=channels) for image in images]),
                [prediction.heat for prediction in predictions],
                np.array([prediction.score for prediction in predictions]),
                np.array([prediction.decision is not Decision.ACCEPT for prediction in predictions]),
                np.array([prediction.unlike for prediction in predictions]),
            )
        )

    def watch_observed(self, observed: Observations) -> tuple[DriftAlarm, ...]:
        """The same for images already observed."""
        strange = self.reference.strange(observed)
        return self.add({**self.reference.measure(observed), STOPPED: observed.stopped, STRANGE: strange})
