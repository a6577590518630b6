"""All images of a dataset as detectors judged them that had not learnt from their parts (see `training`)."""

from pathlib import Path

import numpy as np

from twinloop.errors import InputError
from twinloop.vision import out_of_fold
from twinloop.vision.evaluation.judgement import Outputs, stitched
from twinloop.vision.index import GOOD, ImageSet, class_names, read_index
from twinloop.vision.scores import anomaly_score


def pooled_outputs(dataset: Path, detector: Path) -> Outputs | None:
    """Outputs without pixels and heat; None where the test split is measured on.

    Raises InputError where the detector was tested on other images than the dataset's.
    """
    logits_of = out_of_fold.load(detector)
    if logits_of is None:
        return None
    index = read_index(dataset)
    names, labels, classes = index["image"].to_list(), index["label"].to_list(), class_names(index)
    if set(names) != set(logits_of):
        raise InputError(f"evaluate: {detector / out_of_fold.FILE}: of other images: run the train stage again")
    count, source = len(names), index["source"].to_list()
    data = ImageSet(
        images=np.empty((count, 0, 0, 1), np.uint8),
        masks=np.empty((count, 0, 0), np.uint8),
        masked=np.array([label == GOOD for label in labels]),
        labels=np.array([classes.index(label) for label in labels], np.int64),
        classes=classes,
        groups=tuple(index["group"]),
        names=tuple(names),
        pictures=tuple(source) if len(set(source)) < count else (),
    )
    logits = np.array([logits_of[name] for name in names], np.float32)
    heat, unlike = np.empty((count, 0, 0), np.float32), np.zeros(count, np.float32)
    outputs = Outputs(data, logits, heat, anomaly_score(logits), unlike)
    return stitched(outputs) if data.pictures else outputs
