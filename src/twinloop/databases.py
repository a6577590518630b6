"""A database that several machines use: who comes first makes its tables, the others wait.

Optuna and MLflow each make their tables where they find none; two that do so at once break each other's work.
"""

import contextlib
from collections.abc import Iterator

# Any number, the same everywhere: all who make tables in one database wait for one another.
TABLES = 0x7717


@contextlib.contextmanager
def one_at_a_time(address: str) -> Iterator[None]:
    """Hold the advisory lock of a PostgreSQL database; no lock of any other. The server frees it when its holder dies.

    Raises what SQLAlchemy raises where the database cannot be reached.
    """
    if not address.startswith("postgresql"):
        yield
        return
    import sqlalchemy

    engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_lock(TABLES)))
        yield
