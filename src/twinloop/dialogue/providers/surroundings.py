"""What a provider is handed from where it runs: engines look at no environment themselves."""

import dataclasses
from dataclasses import dataclass

from pydantic import SecretStr

from twinloop.errors import InputError
from twinloop.learning.weights import Places


@dataclass(frozen=True)
class Surroundings:
    """places: where weights may lie. key: of a service, shown nowhere; InputError where it cannot be one."""

    places: Places = dataclasses.field(default_factory=Places)
    key: SecretStr | None = None

    def __post_init__(self) -> None:
        if self.key is None:
            return
        secret = self.key.get_secret_value()
        # A header cannot carry it, and the error would show it.
        if not (secret.isascii() and secret.isprintable() and secret and " " not in secret):
            raise InputError("providers: expected a key of printable ASCII characters without blanks, got another text")
