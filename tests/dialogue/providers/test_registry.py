"""A provider is opened by name from a list; nothing else is."""

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from twinloop.dialogue.providers.registry import PROTOCOLS, PROVIDERS, Role, open_provider, settings_type
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import InputError

LISTED = [(role, name) for role, entries in PROVIDERS.items() for name in entries]


def test_every_role_has_a_protocol_and_providers() -> None:
    assert PROVIDERS.keys() == PROTOCOLS.keys() == set(get_args(Role))
    assert all(PROVIDERS.values())


@pytest.mark.parametrize(("role", "name"), LISTED)
def test_every_provider_has_frozen_settings(role: Any, name: str) -> None:
    settings = settings_type(role, name)
    assert settings.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_a_provider_is_opened_with_its_settings(tmp_path: Path) -> None:
    storage = open_provider("storage", "folder", {"folder": str(tmp_path)}, Surroundings())
    storage.write("a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("role", "name", "values", "line"),
    [
        ("storage", "foldr", {}, "providers: storage: unknown name 'foldr'; did you mean 'folder'?"),
        ("language_model", "os:system", {}, "providers: language_model: unknown name 'os:system'; known: http, local"),
        ("ears", "http", {}, "providers: unknown name 'ears'; known: speech_to_text"),
        ("storage", "folder", {}, "providers: storage folder: folder = None: missing; give it a value"),
        ("storage", "folder", {"folder": "a", "file": "b"}, "providers: storage folder: file = 'b': unknown key"),
        ("encoder", "http", {"address": "x", "model": "m", "dimensions": 2}, "providers: encoder http: address = 'x'"),
    ],
)
def test_what_is_not_listed_or_does_not_fit_is_refused(role: Any, name: str, values: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as refused:
        open_provider(role, name, values, Surroundings())
    assert str(refused.value).startswith(line)


def test_opening_one_provider_imports_no_other_and_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from twinloop.dialogue.providers.registry import open_provider\n"
        "from twinloop.dialogue.providers.surroundings import Surroundings\n"
        f"open_provider('storage', 'folder', {{'folder': {str(tmp_path)!r}}}, Surroundings())\n"
        "heavy = ('torch', 'httpx', 'ctranslate2', 'pocketsphinx', 'soundfile')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
