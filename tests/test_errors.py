"""Exceptions whose message is meant for the user have one base class, by which the workers recognize them."""

import ast
from pathlib import Path

from explorer.errors import InputError, UserError

PACKAGE = Path(__file__).parent.parent / "explorer"
# Caught by the code that calls; no user sees their message.
INTERNAL = {"SupersededError", "InterruptedTrialError", "RefusedError"}


def test_every_error_is_a_user_error() -> None:
    """Each class named …Error has UserError, or a subclass of it, first among its bases."""
    bases: dict[str, str] = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name):
                bases[node.name] = node.bases[0].id
    errors = {name for name in bases if name.endswith("Error")} - INTERNAL - {"UserError"}
    assert {"InputError", "DataError", "ShareError"} <= errors

    def first_ancestors(name: str) -> set[str]:
        return {name} | (first_ancestors(bases[name]) if name in bases else set())

    assert set() == {name for name in errors if "UserError" not in first_ancestors(name)}


def test_an_input_error_is_a_value_error() -> None:
    """Code that catches ValueError keeps working."""
    assert issubclass(InputError, UserError)
    assert issubclass(InputError, ValueError)
