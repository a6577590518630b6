import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from tests.simulation.lines import exponential
from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.simulation import Distribution, Joint, Line, Station
from twinloop.simulation.model.joint import drawn_table, row_of

CUT = Distribution(kind="empirical", values=(1.0, 2.0, 3.0))
PACK = Distribution(kind="empirical", values=(0.1, 0.2, 0.3))


def line(**fields: object) -> Line:
    stations = (Station(name="cut", cycle=CUT), Station(**({"name": "pack", "cycle": PACK} | fields)))
    return Line(stations=stations, buffers=(2,), joint=Joint(stations=("cut", "pack"), renewed_at="cut"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cycle": exponential()}, "joint: station pack: expected an empirical cycle, got exponential"),
        (
            {"cycle": Distribution(kind="empirical", values=(0.1, 0.2))},
            "joint: expected as many values everywhere, got 3 at cut, 2 at pack",
        ),
        ({"cycles": {"part": exponential()}}, "joint: station pack: a row has one duration: not with cycles"),
        ({"name": "park"}, "joint: unknown station 'pack'; did you mean 'park'"),
    ],
)
def test_cycles_that_are_no_columns_of_one_table_are_refused(fields, expected):
    with pytest.raises(InputError) as caught:
        line(**fields)
    assert expected in str(caught.value)
    assert len(str(caught.value)) <= 300


def test_a_place_to_renew_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="joint: unknown station 'cat'; did you mean 'cut'"):
        line().with_({"joint.renewed_at": "cat"})


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**40), st.integers(0, 10**6), st.integers(1, 10**5))
def test_a_row_is_always_one_of_the_table(key, part, visit, count):
    assert 0 <= row_of(key, part, visit, count) < count


def test_rows_are_drawn_alike_and_independently_of_part_and_visit():
    rows = np.array([[row_of(7, part, visit, 10) for visit in range(200)] for part in range(200)])
    assert chisquare(np.bincount(rows.ravel(), minlength=10)).pvalue > 1e-4
    for one, other in ((rows[:, 1:], rows[:, :-1]), (rows[1:], rows[:-1])):
        pairs = np.bincount((10 * one + other).ravel(), minlength=100)
        assert chisquare(pairs).pvalue > 1e-4
    assert (rows != [[row_of(8, part, visit, 10) for visit in range(200)] for part in range(200)]).mean() > 0.85


def test_a_table_is_resampled_by_replication_where_that_is_asked_for():
    one = line()
    tables = {}
    for resampled in (False, True):
        joint = Joint(stations=("pack", "cut"), renewed_at="cut", resampled=resampled)
        tables[resampled] = [drawn_table(joint, one.stations, Streams(1, number), drawn=True)[1] for number in range(9)]
        _, measured = drawn_table(joint, one.stations, Streams(1, 3), drawn=False)
        assert measured.tolist() == [[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]]
    assert all(table.tolist() == tables[False][0].tolist() for table in tables[False])
    assert len({tuple(table.ravel()) for table in tables[True]}) > 4
    assert all({tuple(row) for row in table} <= {(0.1, 1.0), (0.2, 2.0), (0.3, 3.0)} for table in tables[True])
