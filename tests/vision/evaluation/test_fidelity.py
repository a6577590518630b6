import numpy as np
import pytest

from twinloop.vision.evaluation.fidelity import ScoreGate, score_parity
from twinloop.vision.evaluation.settings import DetectorExportSettings

SCORES = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
POSITIVE = np.array([False, False, False, True, True, True])


def test_equal_scores_break_no_limit() -> None:
    parity = score_parity(SCORES, SCORES + 1e-3, positive=POSITIVE)
    assert (parity.auroc_drop, parity.changed_decisions) == (0, 0)
    assert parity.rank_correlation == pytest.approx(1)
    assert parity.breaches(DetectorExportSettings()) == ()


def test_every_broken_limit_is_said() -> None:
    parity = score_parity(SCORES, -SCORES, positive=POSITIVE)
    assert (parity.auroc_drop, parity.changed_decisions) == (1, 1)
    assert parity.rank_correlation == pytest.approx(-1)
    assert len(parity.breaches(DetectorExportSettings())) == 3


def test_scores_that_are_no_numbers_break_every_limit() -> None:
    parity = score_parity(SCORES, np.full(6, np.nan), positive=POSITIVE)
    assert len(parity.breaches(DetectorExportSettings())) == 4


def test_constant_scores_are_no_parity() -> None:
    parity = score_parity(SCORES, np.zeros(6), positive=POSITIVE)
    assert parity.rank_correlation == 0
    assert parity.breaches(DetectorExportSettings())


def test_images_of_one_class_are_judged_without_auroc() -> None:
    parity = score_parity(SCORES, SCORES, positive=np.zeros(6, bool))
    assert np.isnan(parity.auroc_drop)
    assert parity.breaches(DetectorExportSettings()) == ()


def test_the_gate_says_skill_changes_and_what_is_broken() -> None:
    gate = ScoreGate(POSITIVE, DetectorExportSettings(), unlike=9.0)
    reference, flipped = ([np.stack([np.zeros(6), sign * SCORES], axis=1).astype(np.float32)] for sign in (1, -1))
    assert gate(reference, reference).figures == {"auroc": 1, "ap": 1}
    assert gate(reference, reference).broken == ()
    quality = gate(reference, flipped)
    assert quality.figures["auroc"] == 0
    assert quality.changes["changed_decisions"] == 1
    assert len(quality.broken) == 3


def test_outputs_that_are_no_numbers_have_no_skill() -> None:
    gate = ScoreGate(POSITIVE, DetectorExportSettings(), unlike=2.0)
    logits = [np.full((6, 2), np.nan, np.float32)]
    quality = gate(logits, logits)
    assert np.isnan(quality.figures["auroc"])
    assert len(quality.broken) == 4


def test_a_graph_that_finds_other_images_unlike_is_not_deployable() -> None:
    gate = ScoreGate(POSITIVE, DetectorExportSettings(changed_decisions=0.1), unlike=2.0)
    logits = np.stack([np.zeros(6), SCORES], axis=1).astype(np.float32)
    alike, one_beyond = (np.array([1, 1, 1, 1, 1, score], np.float32) for score in (1.9, 2.1))
    quality = gate([logits, alike], [logits, one_beyond])
    assert quality.changes["changed_unlike"] == pytest.approx(1 / 6)
    assert quality.broken == ("16.7% change sides of the unlike limit (allowed 10.0%)",)
