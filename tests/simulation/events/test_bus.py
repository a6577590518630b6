import pytest

from tests.simulation.lines import PERFECT, exponential, fixed, serial_line
from twinloop.contracts.event import Event, EventKind
from twinloop.errors import InputError, RunError
from twinloop.simulation import Line, Station

BROKEN = serial_line(3, buffer=2, failure=20.0, repair=4.0)


def heard(line: Line, minutes: float = 300.0, **chosen: object) -> list[Event]:
    live, events = line.live(seed=5), []
    live.subscribe(events.append, **chosen)
    live.run_until(minutes)
    return events


def test_a_subscriber_hears_every_event_as_an_object():
    events = heard(BROKEN)
    rows = BROKEN.live(seed=5).run_until(300.0).log.frame()
    assert [(event.time_min, event.kind.value, event.entity, event.part) for event in events] == list(
        rows.select("time_min", "event", "entity", "part").iter_rows()
    )
    entered = next(event for event in events if event.kind is EventKind.ENTER)
    assert entered == Event(0.0, EventKind.ENTER, "source", 0, "good", 0.0)


def test_only_the_chosen_kinds_and_entities_are_heard():
    events = heard(BROKEN, kinds=("down", EventKind.BLOCKED), entities=("m2",))
    assert {(event.kind.value, event.entity) for event in events} == {("down", "m2"), ("blocked", "m2")}


def test_breakdowns_of_waiting_machines_are_heard_in_time():
    """In a plain log they are noted when the wait ends; a subscriber hears of them before anything later."""
    line = Line(
        stations=(
            Station(name="slow", cycle=exponential(9.0)),
            Station(
                name="fast",
                cycle=fixed(0.5),
                failure=exponential(4.0),
                failure_clock="calendar",
                repair=exponential(1.0),
            ),
        ),
        buffers=(2,),
        inspection=PERFECT,
    )
    events = heard(line)
    times = [event.time_min for event in events]
    assert times == sorted(times)
    log = line.live(seed=5).run_until(300.0).log
    assert [event.time_min for event in events] == log.frame()["time_min"].to_list()
    assert log.time.tolist() != times


def test_listening_changes_nothing_that_happens():
    live = BROKEN.live(seed=5)
    live.subscribe(lambda event: None)
    live.run_until(120.0).run_until(300.0)
    assert live.log.frame().equals(BROKEN.live(seed=5).run_until(300.0).log.frame())


def test_a_handler_that_fails_stops_the_run_with_its_name():
    def alarm(event: Event) -> None:
        raise ValueError("no line to the pager")

    live = BROKEN.live(seed=5)
    live.subscribe(alarm, kinds=["down"], entities=["m2"])
    with pytest.raises(
        RunError, match=r"handler .*alarm failed on down of m2 at minute \d.*: ValueError: no line"
    ) as caught:
        live.run_until(300.0)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


def test_who_unsubscribes_hears_no_more_and_who_comes_late_hears_what_follows():
    live, early, late = BROKEN.live(seed=5), [], []
    subscription = live.subscribe(early.append)
    live.run_until(100.0)
    live.unsubscribe(subscription)
    live.unsubscribe(subscription)
    live.run_until(200.0)
    live.subscribe(late.append)
    live.run_until(300.0)
    assert max(event.time_min for event in early) < 100.0
    assert min(event.time_min for event in late) >= 200.0
    assert len(live.log) > len(early) + len(late) > 200


def test_a_handler_may_unsubscribe_itself_and_read_the_state():
    live, seen = BROKEN.live(seed=5), []

    def once(event: Event) -> None:
        seen.append(live.state[event.entity].state)
        live.unsubscribe(subscription)

    subscription = live.subscribe(once, kinds="down")
    live.run_until(300.0)
    assert seen == ["down"]


def test_a_handler_cannot_run_the_line_that_calls_it():
    live = BROKEN.live(seed=5)
    live.subscribe(lambda event: live.step(1.0))
    with pytest.raises(RunError, match="a handler cannot run the line that calls it"):
        live.run_until(10.0)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"kinds": ["donw"]}, "subscribe: kind: unknown name 'donw'; did you mean 'down'"),
        ({"entities": ["m22"]}, "subscribe: entity: unknown name 'm22'; did you mean 'm2'"),
    ],
)
def test_what_does_not_exist_cannot_be_listened_to(chosen, message):
    with pytest.raises(InputError, match=message):
        BROKEN.live().subscribe(print, **chosen)
