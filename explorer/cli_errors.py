"""How a command fails: a sentence on standard error and exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from explorer.errors import UserError


@contextmanager
def explain_errors() -> Iterator[None]:
    """Print the message of an error that is meant for the reader, and exit with code 1."""
    try:
        yield
    except (UserError, OSError) as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Print a message and exit with code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
