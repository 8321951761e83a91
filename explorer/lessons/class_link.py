"""A link for a class: its parameter ``hide`` names parts of the lessons to leave out, separated by commas.

A link can only leave parts out, so a name that no lesson has does nothing.
"""

import re

COMMON = ("quiz", "answers", "teacher", "network")  # parts of every lesson; others are named in the lesson's text
TEACHER = "teacher"  # the class tools: a link for a class always leaves them out
OLD_NAMES = {  # of parts that links made by earlier versions may name
    "bench": "cost",
    "exchange": "branch",
    "slips": "mistakes",
    "ledger": "head_costs",
    "microscope": "gradients",
    "on_picture": "on_image",
    "without": "without_branch",
    "doctor": "input_size",
}
_MAX_TEXT = 300
_NAME = re.compile(r"[a-z_]{1,40}")


def parse(text: str) -> frozenset[str]:
    """Return the parts that the parameter of a link leaves out; what cannot be a name is dropped."""
    names = {OLD_NAMES.get(name, name) for name in text[:_MAX_TEXT].split(",") if _NAME.fullmatch(name)}
    return frozenset({TEACHER, *names})


def to_text(parts: frozenset[str]) -> str:
    """Return the parameter of a link that leaves out these parts and the class tools."""
    return ",".join(sorted({TEACHER, *parts}))
