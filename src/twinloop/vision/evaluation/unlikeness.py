"""The unlike score measured: how it parts good test pictures from the same pictures spoilt in twelve ways."""

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.vision.index import GOOD, ImageSet
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.synthetic.spoilt import SPOILT

# Good pictures at most that are spoilt, each in every way.
MOST = 40
BATCH = 32


def unlike_table(detector: DeployedDetector, test: ImageSet, *, seed: int) -> pl.DataFrame:
    """One row per picture: kind ("good" or how it was spoilt), unlike (its score), refused (whether beyond the limit).

    All good test images, and of at most 40 of them every way of spoiling. Raises InputError for a detector that was
    never exported.
    """
    if detector.backend.about.learnt is None:
        raise InputError("unlike score: expected an exported detector: run the export stage first")
    good = test.images[test.labels == 0]
    random = np.random.default_rng(np.random.SeedSequence(seed))
    some = good[np.sort(random.permutation(len(good))[:MOST])]
    kinds = {GOOD: list(good)} | {kind: [spoil(image, random) for image in some] for kind, spoil in SPOILT.items()}
    rows = [
        {"kind": kind, "unlike": finding.unlike, "refused": bool(finding.reason)}
        for kind, images in kinds.items()
        for start in range(0, len(images), BATCH)
        for finding in detector.predict_batch(images[start : start + BATCH])
    ]
    return pl.DataFrame(rows, schema={"kind": pl.String, "unlike": pl.Float64, "refused": pl.Boolean})


def refused_shares(table: pl.DataFrame) -> dict[str, float | None]:
    """Of an `unlike_table` the share refused per kind, "good" first; None where there was no good test image."""
    found = {kind: table.filter(pl.col("kind") == kind)["refused"].mean() for kind in (GOOD, *SPOILT)}
    return {kind: None if share is None else float(share) for kind, share in found.items()}  # type: ignore[arg-type]
