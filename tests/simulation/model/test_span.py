import pytest

from tests.simulation.lines import queue
from twinloop.errors import InputError
from twinloop.simulation import Span

SPAN = {"name": "served", "start": "desk", "end": "desk"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"spans": [SPAN | {"start": "dsek"}]}, "span served: start: unknown station 'dsek'; did you mean 'desk'"),
        ({"spans": [SPAN | {"end": "till"}]}, "span served: end: unknown station 'till'; known: desk"),
        ({"spans": [SPAN | {"variant": "prat"}]}, "span served: unknown variant 'prat'; did you mean 'part'"),
        ({"spans": [SPAN, SPAN]}, "'served' comes twice"),
        ({"spans": [SPAN | {"name": "desk"}]}, "'desk' comes twice"),
        ({"spans": [SPAN | {"limit": 0}]}, "expected an integer ≥ 1"),
        ({"spans": [SPAN | {"target_min": 0.0}]}, "expected a number > 0"),
        (
            {"spans": [SPAN | {"limit": 2}, SPAN | {"name": "too", "limit": 3}]},
            "one span with a limit from desk on, got 2",
        ),
        (
            {"spans": [SPAN | {"limit": 2}], "source.interarrival": None},
            "span served: a limit does not go with a source that is never empty",
        ),
        (
            {"spans": [SPAN | {"limit": 2}], "transport": {"fleet": 1, "trip": {"kind": "deterministic", "mean": 1.0}}},
            "span served: a limit does not go with vehicles",
        ),
        (
            {"spans": [SPAN | {"limit": 2}], "stations.desk.inspects": True},
            "span served: a limit does not go with inspection or assembly, where parts end",
        ),
    ],
)
def test_a_span_that_does_not_fit_its_line_is_refused_in_one_line(changes, expected):
    with pytest.raises(InputError) as caught:
        queue(arrivals=0.5).with_(changes)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"when_full": "lose"}, "span served: when_full: lose needs a limit"),
        ({"limit": 2, "variant": "part"}, "span served: a limit is of all parts"),
    ],
)
def test_a_span_that_contradicts_itself_is_refused(fields, expected):
    with pytest.raises(InputError, match=expected):
        Span(**(SPAN | fields))
