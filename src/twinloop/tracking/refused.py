"""How a served model refuses a request: status 400 and one line, nothing of the server's around it.

MLflow's server puts the whole posted table in front of a message; whoever asked knows what they posted.
"""

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST


class Refused(MlflowException):
    """An answer of status 400 whose message stays what it is."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        super().__init__(reason, error_code=BAD_REQUEST)

    @property
    def message(self) -> str:
        """The reason, in one line."""
        return self._reason

    @message.setter
    def message(self, _: str) -> None:
        """What the server would make of it is not said."""
