"""Problems in PyJobShop's JSON (`ProblemData.to_json`), as far as shops reach; what they cannot say is refused by name.

A job's tasks must be ordered by `end_before_start`, a mode runs on one machine (one of its own where it names none),
renewable resources become pools, consumable ones materials, breaks single closures, a deadline a firm due date.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from twinloop.config.schema import brief
from twinloop.errors import InputError
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.problem import Alternative, Job, JobShop, Material, Operation, Pool, Window

UNBOUNDED = 2**42
ORDER, SETUPS = "end_before_start", "setup_times"
# What a shop cannot say, by its value where it says nothing.
TASK_DEFAULTS: dict[str, Any] = {
    "latest_start": UNBOUNDED,
    "earliest_end": 0,
    "latest_end": UNBOUNDED,
    "allow_idle": False,
    "optional": False,
}


def recognised(content: Any) -> bool:
    """Whether plain data has PyJobShop's lists."""
    return isinstance(content, dict) and {"tasks", "modes", "resources"} <= content.keys()


def read_pyjobshop(content: dict[str, Any], path: Path) -> Reading:
    """The shop of plain data. Raises InputError with the place."""
    try:
        return _Problem(content, path).reading()
    except InputError as error:
        raise error if str(error).startswith(f"{path}") else InputError(f"{path}: {error}") from None
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: no problem of PyJobShop: {type(error).__name__}: {error}") from None


class _Problem:
    def __init__(self, content: dict[str, Any], path: Path) -> None:
        self.path = path
        self.jobs, self.tasks, self.modes, self.resources = (
            _records(content, name, path) for name in ("jobs", "tasks", "modes", "resources")
        )
        constraints = content.get("constraints") or {}
        for name, rows in constraints.items():
            if rows and name not in (ORDER, SETUPS):
                raise InputError(f"{path}: constraints.{name}: a shop has no such constraint: leave it out")
        self.order = [self._pair(row) for row in constraints.get(ORDER, [])]
        self.setup_times = constraints.get(SETUPS, [])
        self.notes = ["times as they are, machines as named"]
        weights = {k: w for k, w in (content.get("objective") or {}).items() if w and k != "weight_makespan"}
        if weights:
            self.notes.append(f"its objective is not read: {', '.join(sorted(weights))}")

    def reading(self) -> Reading:
        members: dict[int, list[int]] = defaultdict(list)
        for task, record in enumerate(self.tasks):
            job = record.get("job")
            # A task of no job is a job of its own.
            members[len(self.jobs) + task if job is None else _index(job, self.jobs, "job")].append(task)
        names = _distinct(
            [
                *(j.get("name") or f"{k}" for k, j in enumerate(self.jobs)),
                *(t.get("name") or f"task {k}" for k, t in enumerate(self.tasks)),
            ]
        )
        sequences = {job: self._sequence(names[job], tasks) for job, tasks in members.items()}
        place = {task: (job, k) for job, tasks in sequences.items() for k, task in enumerate(tasks)}
        after: dict[int, list[str]] = defaultdict(list)
        for first, second in self.order:
            (a, k), (b, n) = place[first], place[second]
            if a != b:
                if k != len(sequences[a]) - 1 or n != 0:
                    raise InputError(f"{ORDER}: tasks {first} and {second}: between jobs, only the last and the first")
                after[b].append(names[a])
        self.machine_names = _distinct([r.get("name") or f"machine_{k}" for k, r in enumerate(self.resources)])
        own = [self.own(task) for task in range(len(self.tasks)) if not self._machines_of(task)]
        machines = [self.machine_names[k] for k, r in enumerate(self.resources) if r.get("type") == "machine"]
        jobs = tuple(
            self._job(names[job], job, tasks, tuple(dict.fromkeys(after[job]))) for job, tasks in sequences.items()
        )
        shop = JobShop(
            (*machines, *own),
            jobs,
            stops={
                self.machine_names[k]: _breaks(r)
                for k, r in enumerate(self.resources)
                if r.get("type") == "machine" and r.get("breaks")
            },
            setups=self._setups(),
            pools=tuple(
                Pool(self.machine_names[k], r["capacity"], stops=_breaks(r))
                for k, r in enumerate(self.resources)
                if r.get("type") == "renewable" and r["capacity"]
            ),
            materials=tuple(
                Material(self.machine_names[k], r["capacity"])
                for k, r in enumerate(self.resources)
                if r.get("type") == "consumable"
            ),
        )
        return Reading(shop, "problem (PyJobShop)", tuple(self.notes))

    def own(self, task: int) -> str:
        """The machine of a task that names none."""
        return f"task_{task}"

    def _modes_of(self, task: int) -> list[dict[str, Any]]:
        return [mode for mode in self.modes if mode["task"] == task]

    def _machines_of(self, task: int) -> list[int]:
        return [
            r
            for mode in self._modes_of(task)
            for r in mode["resources"]
            if _index(r, self.resources, "resource") >= 0 and self.resources[r].get("type") == "machine"
        ]

    def _pair(self, row: dict[str, Any]) -> tuple[int, int]:
        first, second = (_index(row[name], self.tasks, "task") for name in ("task1", "task2"))
        if row.get("delay"):
            raise InputError(f"{ORDER}: tasks {first} and {second}: a delay of {row['delay']}: expected none")
        return first, second

    def _sequence(self, job: str, tasks: list[int]) -> list[int]:
        """The tasks of a job in their order, which the constraints must tell completely."""
        behind = {task: {b for a, b in self.order if a == task and b in tasks} for task in tasks}
        left, ordered = set(tasks), list[int]()
        while left:
            free = [task for task in left if not any(task in behind[other] for other in left)]
            if len(free) != 1:
                which = " and ".join(map(str, sorted(free)[:2])) or "all of them"
                raise InputError(
                    f"job {job}: tasks {which} have no order: a job's operations have one: add {ORDER} between them"
                )
            if ordered and free[0] not in behind[ordered[-1]]:
                raise InputError(f"job {job}: add {ORDER} between tasks {ordered[-1]} and {free[0]}")
            ordered += free
            left -= set(free)
        return ordered

    def _job(self, name: str, number: int, tasks: list[int], after: tuple[str, ...]) -> Job:
        record = self.jobs[number] if number < len(self.jobs) else {}
        due, deadline = record.get("due_date"), record.get("deadline", UNBOUNDED)
        if due is not None and deadline != UNBOUNDED:
            raise InputError(f"job {name}: a due date and a deadline: expected one of them")
        firm = deadline != UNBOUNDED
        start = self.tasks[tasks[0]].get("earliest_start", 0)
        return Job(
            name,
            tuple(self._operation(task, first=k == 0) for k, task in enumerate(tasks)),
            release=max(record.get("release_date", 0), start),
            due=deadline if firm else due,
            weight=record.get("weight", 1),
            firm=firm,
            after=after,
        )

    def _operation(self, task: int, *, first: bool) -> Operation:
        record, modes = self.tasks[task], self._modes_of(task)
        defaults = TASK_DEFAULTS if first else {"earliest_start": 0, **TASK_DEFAULTS}
        for name, nothing in defaults.items():
            if record.get(name, nothing) != nothing:
                raise InputError(f"task {task}: {name} = {brief(record[name])}: a shop has no such limit: leave it out")
        if not modes:
            raise InputError(f"task {task}: expected a mode, found none")
        choices, needs = [], []
        for mode in modes:
            machines, pools, materials = list[str](), dict[str, int](), dict[str, int]()
            demands = mode.get("demands") or [0] * len(mode["resources"])
            for number, demand in zip(mode["resources"], demands, strict=True):
                resource = self.resources[_index(number, self.resources, "resource")]
                match resource.get("type"):
                    case "machine":
                        machines.append(self.machine_names[number])
                    case "renewable":
                        pools |= {self.machine_names[number]: demand} if demand else {}
                    case "consumable":
                        materials |= {self.machine_names[number]: demand} if demand else {}
                    case other:
                        raise InputError(f"resource {number}: unknown type {other!r}")
            if len(machines) > 1:
                raise InputError(f"task {task}: a mode on {len(machines)} machines at once: expected one")
            choices.append(Alternative(machines[0] if machines else self.own(task), mode["duration"]))
            needs.append((pools, materials))
        if any(need != needs[0] for need in needs):
            raise InputError(f"task {task}: its modes need different resources: expected the same beside the machine")
        return Operation(
            choices[0].machine,
            choices[0].duration,
            tuple(choices[1:]),
            family=f"task {task}" if any(task in (s["task1"], s["task2"]) for s in self.setup_times) else None,
            pools=needs[0][0],
            materials=needs[0][1],
            resumable=bool(record.get("allow_breaks", False)),
        )

    def _setups(self) -> dict[str, dict[tuple[str, str], int]]:
        times: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
        for row in self.setup_times:
            machine = self.machine_names[_index(row["machine"], self.resources, "machine")]
            times[machine][f"task {row['task1']}", f"task {row['task2']}"] = row["duration"]
        return dict(times)


def _records(content: dict[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    rows = content.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: {name}: expected a list of objects")
    return rows


def _index(value: Any, rows: list[Any], what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(rows):
        raise InputError(f"{what} {value!r}: expected a number from 0 to {len(rows) - 1}")
    return value


def _distinct(names: list[str]) -> list[str]:
    """Names as they are, numbered where one comes twice."""
    return [name if names.count(name) == 1 else f"{name} ({k})" for k, name in enumerate(names)]


def _breaks(resource: dict[str, Any]) -> tuple[Window, ...]:
    return tuple(Window(start, end) for start, end in resource.get("breaks", []))
