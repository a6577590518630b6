"""Lines of every kind that figures must draw."""

from tests.simulation.lines import exponential, fixed
from twinloop.simulation import Line, Rework, Source, Station, Variant
from twinloop.simulation.model.materials import Material
from twinloop.simulation.model.resources import Crew, Operators, Shift, Transport


def station(name: str, minutes: float = 1.0, **more: object) -> Station:
    return Station(name=name, cycle=exponential(minutes), **more)


def branching(**more: object) -> Line:
    """A Jackson network with loops."""
    return Line(
        name="network",
        source=Source(interarrival=exponential(4.0), variants=(Variant(name="a", route=("one",)),)),
        stations=(
            station("one", next={"two": 0.6, "three": 0.3}),
            station("two", servers=3, next={"one": 0.2, "four": 0.5}),
            station("three", next={"three": 0.2, "four": 0.5}),
            station("four", next={"two": 0.25}),
        ),
        **more,
    )


def shop(machines: int, variants: int) -> Line:
    """Every variant goes through all machines, each in another order."""
    names = [f"m{number}" for number in range(machines)]
    routes = [names[k % machines :] + names[: k % machines] for k in range(variants)]
    routes = [route[:: 1 if k % 2 else -1] for k, route in enumerate(routes)]
    return Line(
        name="shop",
        source=Source(
            interarrival=exponential(20.0),
            variants=tuple(Variant(name=f"v{k}", route=tuple(route)) for k, route in enumerate(routes)),
        ),
        stations=tuple(station(name) for name in names),
    )


SERIAL = Line(
    name="serial",
    minutes_per_day=480.0,
    stations=(
        station("saw", 1.0),
        station("mill", 1.2, failure=exponential(60.0), repair=fixed(8.0), servers=2),
        station("camera", 0.8, inspects=True),
        station("pack", 0.9),
    ),
    buffers=(3, 2, 20),
    rework=Rework(cycle=fixed(4.0), buffer=2, returns_to="mill"),
)
LONG = Line(
    name="long",
    stations=tuple(station(f"station_number_{number}", inspects=number == 4) for number in range(16)),
    buffers=(4,) * 15,
    rework=Rework(cycle=fixed(2.0)),
)
REENTRANT = Line(
    name="wafer fab",
    minutes_per_day=480.0,
    source=Source(
        interarrival=exponential(6.0),
        variants=(
            Variant(name="logic", route=("litho", "etch", "litho", "implant", "test")),
            Variant(name="memory", route=("litho", "implant", "etch", "litho", "etch", "test")),
        ),
    ),
    stations=(station("litho", 0.5), station("etch", 0.5), station("implant", 0.5, queue=6), station("test", 0.5)),
)
NEEDY = Line(
    name="all needs",
    minutes_per_day=480.0,
    stations=(station("saw", materials={"steel": 0.5}), station("oven", 8.0, batch=10, batch_wait_min=5.0)),
    buffers=(20,),
    materials=(Material(name="steel", initial=900.0),),
    operators=(Operators(name="sawyers", count=2, skills=("saw",), shifts=(Shift(start_min=0, end_min=400),)),),
    crew=Crew(size=1),
    transport=Transport(fleet=2, trip=fixed(0.3)),
)
ONE = Line(
    name="desk", minutes_per_day=480.0, source=Source(interarrival=exponential(2.0)), stations=(station("desk"),)
)
LINES = {
    "serial": SERIAL,
    "long": LONG,
    "branching": branching(),
    "re-entrant": REENTRANT,
    "shop": shop(4, 3),
    "dense shop": shop(10, 10),
    "needy": NEEDY,
    "one": ONE,
}
