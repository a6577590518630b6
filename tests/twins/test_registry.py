"""What the registry knows of the twins: found by their packages, and their settings by name in messages."""

import pytest

from twinloop.errors import InputError, RunError
from twinloop.twins import registry


def test_every_package_that_declares_a_twin_is_one() -> None:
    assert "factory" in registry.TWINS
    for twin in registry.chosen():
        assert twin == registry.find(twin.name)
        assert twin.verbs == tuple(verb for verb in registry.VERBS if verb in twin.verbs), "in the order of the loop"


def test_every_column_is_measured_by_a_stage_before_the_record() -> None:
    for twin in registry.chosen():
        stages = {stage for stage, _ in twin.columns.metrics.values()} - {"latency"}
        assert stages <= set(twin.verbs) - {"report", "record"}


def test_a_twin_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(InputError, match="there is no twin 'fleeet'; twins: factory"):
        registry.chosen("fleeet")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("export: ExportSettings.opset = 99: expected 18", "export: factory.export.opset = 99: expected 18"),
        ("give Line.stations or Economy.margin", "give factory.line.stations or factory.economy.margin"),
        ("Path.name and README.md stay", "Path.name and README.md stay"),
    ],
)
def test_settings_are_named_as_in_params(message: str, shown: str) -> None:
    assert registry.find("factory").in_params(message) == shown


@pytest.mark.parametrize("kind", [InputError, RunError])
def test_an_error_keeps_its_kind_when_its_settings_are_renamed(kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"factory\.tune\.trials: expected"), registry.find("factory").errors_in_params():
        raise kind("StudySettings.trials: expected 1 or more")
