import numpy as np
import pytest

from tests.simulation.lines import exponential, fixed, serial_line
from tests.simulation.worn import policy, wear, worn_line
from twinloop.contracts import Risk, RiskTable
from twinloop.errors import InputError
from twinloop.simulation import Line, Station
from twinloop.simulation.maintenance.outlook import COURSE, MACHINES

WORN = worn_line(wear("gamma", cv=0.2), maintenance=policy("failure"))


def told(*rows: tuple[float, float], asset: str = "press", clock: str = "work") -> RiskTable:
    return RiskTable.of([Risk(asset, "part", hours, p, p, p, 5, 1.0) for hours, p in rows], clock=clock)


def test_a_machine_that_forgets_fails_after_its_mean_time_of_work():
    """Exponential: half have failed after ln 2 of the mean, however long it has lasted; work is a share of the time."""
    line = serial_line(1, buffer=0, failure=600.0, repair=6.0)
    live = line.live(seed=3).run_until(1000.0)
    machine, minute = live.next_failure(futures=4000)
    [row] = live.outlook(minutes=60.0).machines.iter_rows(named=True)
    assert machine == row["machine"] == "m1"
    assert minute - 1000.0 == pytest.approx(np.log(2) * 600.0 / row["load"], rel=0.06)


def test_of_several_machines_each_is_next_by_its_rate():
    stations = tuple(
        Station(name=name, cycle=fixed(1.0), failure=exponential(mean), repair=fixed(5.0), failure_clock="calendar")
        for name, mean in (("often", 100.0), ("seldom", 300.0))
    )
    live = Line(name="two", stations=stations, buffers=(3,)).live(seed=1).run_until(50.0)
    shares = dict(live.outlook(minutes=10.0, futures=4000).machines.select("machine", "next").iter_rows())
    assert shares["often"] == pytest.approx(0.75, abs=0.03)
    assert sum(shares.values()) == 1.0


def test_what_is_foreseen_of_wear_is_what_then_happens_on_average():
    inside, wanted = 0, 40
    for replication in range(wanted):
        live = WORN.live(seed=9, replication=replication).run_until(700.0)
        found = live.outlook(minutes=100.0, futures=100, seed=replication)
        low, high = found.machines["fails_low"][0], found.machines["fails_high"][0]
        step = 10.0
        while live.state["press"].state != "down" and live.now < 4000.0:
            live.step(step)
        inside += low - step <= live.now <= high + step
    # 90 % of the futures: of forty with a probability of 0.9, 31 are too few in one of a thousand.
    assert inside >= 31


def test_health_falls_with_work_and_ends_where_the_machine_fails():
    live = WORN.live(seed=2).run_until(600.0)
    course = live.outlook(minutes=600.0).course
    assert course.columns == list(COURSE)
    health, alive = course["health"].to_numpy(), course["alive"].to_numpy()
    assert (np.diff(health) <= 1e-12).all()
    assert health[0] == pytest.approx(0.4, abs=0.1)
    assert alive[0] == 1
    assert alive[-1] < 0.4
    assert (course["health_low"] <= course["health"]).all()
    assert (course["load"] == 1.0).all()


def test_a_predictor_that_sees_the_end_moves_it():
    live = WORN.live(seed=2).run_until(600.0)
    _, blind = live.next_failure()
    name, soon = live.next_failure(risks=told((0.5, 0.5), (1.0, 0.99)))
    assert name == "press"
    assert 600.0 < soon < 640.0 < blind
    safe = told((100.0, 0.0), (200.0, 0.0))
    assert live.next_failure(risks=safe)[1] == np.inf
    assert "never" in live.outlook(minutes=9.0, risks=safe)._repr_html_()


def test_the_same_seed_gives_the_same_outlook_and_the_line_goes_on_as_without():
    live, other = (WORN.live(seed=2).run_until(600.0) for _ in range(2))
    one, two = (live.outlook(minutes=60.0, seed=4) for _ in range(2))
    assert one.machines.equals(two.machines)
    assert one.machines.columns == list(MACHINES)
    assert "who fails next" in one._repr_html_()
    assert live.run_until(2000.0).log.frame().equals(other.run_until(2000.0).log.frame())


@pytest.mark.parametrize(
    ("line", "how", "message"),
    [
        (serial_line(2, buffer=1), {"minutes": 9.0}, "outlook: no machine of serial can fail: describe its failures"),
        (WORN, {"minutes": 0.0}, "outlook: minutes = 0: expected a finite number above 0"),
        (WORN, {"minutes": float("nan")}, "outlook: minutes = nan: expected a finite number above 0"),
        (
            WORN,
            {"minutes": 9.0, "risks": told((1.0, 0.1), clock="calendar")},
            "outlook: expected hours of work, got hours of calendar: machines wear by the hours that they work",
        ),
        (
            WORN,
            {"minutes": 9.0, "risks": told((1.0, 0.1), asset="pres")},
            "outlook: risk table: asset: unknown name 'pres'; did you mean 'press'?",
        ),
    ],
)
def test_what_cannot_be_foreseen_is_refused(line, how, message):
    with pytest.raises(InputError) as caught:
        line.live(seed=1).run_until(20.0).outlook(**how)
    assert str(caught.value).startswith(message)
