"""A model in a folder or on the hub, as transformers reads it: tensors alone, nobody's code, and a digest of its files.

Nothing is fetched unless that is allowed. torch and transformers are imported when a model is opened.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.protocols import ProviderError
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import InputError, RunError, one_line
from twinloop.files import fingerprint, sha256

# What a model is made of; pickled tensors (.bin, .pt) and code (.py) are neither fetched nor read.
FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")


@settings
class LocalSettings:
    """model: a folder, or a name of the hub such as openai/whisper-base.en. revision: of the hub, a commit to be sure.

    download: whether what the hub's cache lacks may be fetched. threads: of the processor.
    """

    model: Annotated[str, Field(min_length=1, max_length=500)]
    revision: str = "main"
    download: bool = False
    device: Literal["cpu", "cuda"] = "cpu"
    threads: Annotated[int, Field(ge=1, le=1024)] = 1

    @property
    def reading(self) -> dict[str, Any]:
        """What every `from_pretrained` is told."""
        return {"local_files_only": True, "trust_remote_code": False}

    @property
    def tensors(self) -> dict[str, Any]:
        """And that of a model besides."""
        return {**self.reading, "use_safetensors": True}


def folder_of(settings: LocalSettings, surroundings: Surroundings) -> Path:
    """The folder of a model's files. Raises RunError where they are not to be had, InputError for what is no model."""
    folder = Path(settings.model).expanduser()
    if not folder.is_dir():
        folder = _from_hub(settings, surroundings)
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise InputError(
            f"local: {settings.model}: expected config.json and .safetensors, found other files: save the model with "
            "save_pretrained, or choose one that has them"
        )
    return folder


def digest_of(folder: Path, *, about: Any = None) -> str:
    """SHA-256 over every file that a model is made of, and whatever else decides what it says."""
    files = sorted(path for pattern in FILES for path in folder.glob(pattern))
    return fingerprint({"files": {path.name: sha256(path) for path in files}, "about": about})


@contextlib.contextmanager
def opening(settings: LocalSettings) -> Iterator[None]:
    """What transformers cannot open is one line. Raises InputError."""
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(settings.threads)
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise RunError("local: device = cuda: this machine has none that torch can use: choose cpu")
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, AttributeError, TypeError) as error:
        raise InputError(f"local: {settings.model}: cannot be opened ({_brief(error)}): check the files") from None


@contextlib.contextmanager
def working(settings: LocalSettings) -> Iterator[None]:
    """A call without gradients; what fails in it ends the turn. Raises ProviderError."""
    import torch

    try:
        with torch.inference_mode():
            yield
    except (RuntimeError, ValueError, IndexError) as error:
        raise ProviderError(f"local: {settings.model}: failed ({_brief(error)})") from None


def _from_hub(settings: LocalSettings, surroundings: Surroundings) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    cache = surroundings.places.hub_cache
    try:
        found = snapshot_download(
            settings.model,
            revision=settings.revision,
            cache_dir=cache,
            allow_patterns=list(FILES),
            local_files_only=not settings.download,
        )
    except HFValidationError:
        raise InputError(
            f"local: model = {settings.model}: is no folder, and no name of the hub such as openai/whisper-base.en"
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        why = "not in the hub's cache" if not settings.download else f"cannot be fetched ({_brief(error)})"
        remedy = "set download to true" if not settings.download else "check name and network"
        raise RunError(f"local: {settings.model}: {why}: {remedy}, or name a folder") from None
    return Path(found)


def _brief(error: Exception) -> str:
    text = one_line(str(error))
    return text if len(text) <= 120 else f"{text[:119]}…"
