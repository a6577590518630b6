import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binomtest, t

from twinloop.errors import InputError
from twinloop.replication.selection import Selection, rinott, second_stage, subset


@pytest.mark.parametrize(
    ("replications", "confidence", "published"),
    # Two scenarios: h₁ of Dudewicz and Dalal (1975), which is Rinott's there (Law, 5th ed., table 10.11).
    [(20, 0.90, 1.896), (40, 0.90, 1.852), (20, 0.95, 2.453), (40, 0.95, 2.386)],
)
def test_rinotts_constant_of_two_scenarios_is_the_published_one(replications, confidence, published):
    assert rinott(2, replications, confidence=confidence) == pytest.approx(published, abs=0.0011)


@pytest.mark.parametrize("scenarios", [2, 5, 20])
def test_rinotts_constant_of_a_known_variance_is_exact(scenarios):
    # ν → ∞: Φ(h / √2)^(k - 1) = P*.
    assert rinott(scenarios, 200_000) == pytest.approx(np.sqrt(2) * ndtri(0.95 ** (1 / (scenarios - 1))), rel=1e-3)


def test_rinotts_constant_fulfils_its_definition_by_simulation():
    rng = np.random.default_rng(1)
    k, n0, draws = 5, 10, 100_000
    chi = rng.chisquare(n0 - 1, (k, draws))
    spread = np.sqrt((n0 - 1) * (1 / chi[0] + 1 / chi[1:]))
    # Rinott bounds the probability by a product that conditions on the best one's variance.
    inside = rng.standard_normal((k - 1, draws)) * spread <= rinott(k, n0)
    assert inside.all(axis=0).mean() == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / draws))


@pytest.mark.parametrize("replications", [2, 3])
def test_rinotts_constant_of_two_scenarios_is_a_quantile_of_the_difference_of_two_students(replications):
    # One degree of freedom: the sum of two Cauchy variables is twice one of them.
    exact = {2: 2 * t(1).ppf(0.95)}
    rng = np.random.default_rng(2)
    nu = replications - 1
    sampled = np.quantile(rng.standard_t(nu, 400_000) + rng.standard_t(nu, 400_000), 0.95)
    assert rinott(2, replications) == pytest.approx(exact.get(replications, sampled), rel=0.02)


def test_rinotts_second_stage_needs_more_of_what_varies_more():
    rng = np.random.default_rng(4)
    first = {"quiet": rng.normal(0, 1, 20), "loud": rng.normal(0, 5, 20)}
    needed = second_stage(first, indifference=1.0)
    assert needed["quiet"] < needed["loud"]
    assert needed["loud"] == int(np.ceil((rinott(2, 20) * first["loud"].std(ddof=1)) ** 2))
    assert second_stage(first, indifference=100.0) == {"quiet": 20, "loud": 20}


def test_rinotts_procedure_is_right_as_often_as_it_says():
    rng = np.random.default_rng(5)
    runs, right = 300, 0
    means, spreads = np.array([1.0, 0.0, 0.0]), np.array([2.0, 2.0, 4.0])
    for _ in range(runs):
        first = {str(i): rng.normal(means[i], spreads[i], 15) for i in range(3)}
        needed = second_stage(first, indifference=1.0)
        found = [
            np.concatenate((first[name], rng.normal(means[i], spreads[i], needed[name] - 15))).mean()
            for i, name in enumerate(first)
        ]
        right += int(np.argmax(found)) == 0
    assert binomtest(right, runs, 0.95, alternative="less").pvalue > 0.01


def tried(rng: np.random.Generator, means: np.ndarray, count: int, *, shared: float) -> dict[str, np.ndarray]:
    """Figures of scenarios whose luck is common to the degree `shared`."""
    luck = rng.standard_normal(count) * np.sqrt(shared)
    return {str(i): mean + luck + rng.standard_normal(count) * np.sqrt(1 - shared) for i, mean in enumerate(means)}


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_sequential_selection_is_right_as_often_as_it_says_and_common_luck_makes_it_quicker(shared):
    rng = np.random.default_rng(6)
    means, runs, right, used = np.array([0.5, 0.0, 0.0, 0.0]), 200, 0, []
    for _ in range(runs):
        selection = Selection(tried(rng, means, 10, shared=shared), indifference=0.5)
        while not selection.decided:
            selection.add(tried(rng, means, 5, shared=shared))
        right += selection.best == "0"
        used.append(selection.replications)
    assert binomtest(right, runs, 0.95, alternative="less").pvalue > 0.01
    assert np.mean(used) < {0.0: 110, 0.8: 30}[shared]


def test_sequential_selection_ends_also_between_equals():
    selection = Selection({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}, indifference=0.1)
    assert (selection.decided, selection.best) == (True, "a")


def test_what_is_beaten_is_not_asked_for_again():
    rng = np.random.default_rng(7)
    selection = Selection(tried(rng, np.array([5.0, 4.9, 0.0]), 10, shared=0.0), indifference=0.2)
    assert selection.remaining == ("0", "1")
    selection.add(tried(rng, np.array([5.0, 4.9]), 10, shared=0.0))
    assert selection.replications == 20


def test_the_subset_holds_the_best_as_often_as_it_says():
    rng = np.random.default_rng(9)
    means, runs = np.array([0.3, 0.0, 0.0, -3.0]), 400
    found = [subset(tried(rng, means, 12, shared=0.5), confidence=0.9) for _ in range(runs)]
    assert binomtest(sum("0" in names for names in found), runs, 0.9, alternative="less").pvalue > 0.01
    assert not any("3" in names for names in found)


@given(values=st.lists(st.lists(st.floats(-100, 100), min_size=4, max_size=4), min_size=2, max_size=5))
@settings(max_examples=50)
def test_the_largest_mean_is_always_in_the_subset_and_more_confidence_never_shrinks_it(values):
    figures = {str(place): row for place, row in enumerate(values)}
    strict, loose = subset(figures, confidence=0.99), subset(figures, confidence=0.8)
    assert max(figures, key=lambda name: float(np.mean(figures[name]))) in loose
    assert set(loose) <= set(strict)


def test_a_single_scenario_is_the_best():
    assert subset({"only": [1.0, 2.0]}) == ("only",)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: rinott(1, 10), "selection expects at least 2 scenarios, got 1"),
        (lambda: rinott(3, 1), "selection expects at least 2 replications, got 1"),
        (lambda: rinott(3, 10, confidence=0.3), "confidence = 0.3: expected a number in (1/3, 1)"),
        (lambda: second_stage({"a": [1.0, 2.0], "b": [1.0, 3.0]}, indifference=0.0), "indifference = 0.0: expected"),
        (lambda: Selection({"a": [1.0, 2.0], "b": [1.0, 3.0]}, indifference=-1.0), "indifference = -1.0: expected"),
        (lambda: Selection({"a": [1.0], "b": [1.0]}, indifference=1.0), "at least 2 replications, got 1"),
        (lambda: subset({"a": [1.0, 2.0], "b": [1.0]}), "expects as many replications of every scenario"),
        (lambda: subset({}), "and at least one scenario"),
    ],
)
def test_a_selection_that_cannot_be_made_is_refused(call, expected):
    with pytest.raises(InputError) as caught:
        call()
    assert expected in str(caught.value)
