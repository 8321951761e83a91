"""Numbers and shapes as text. Rows hold integers; their format is decided here and nowhere else."""

from collections.abc import Sequence

_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<$~|"} | {"\n": " "})
_UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
BYTES_PER_FLOAT = 4
NO_VALUE = "–"  # in a table, where there is no number


def exact(number: int) -> str:
    """Return every digit, in groups of three: ``6,998,552``."""
    return f"{number:,}"


def short(number: float) -> str:
    """Return three or four significant digits with a decimal prefix: ``7.00 M``, ``1.583 G``, ``512``."""
    for size, unit in _UNITS:
        if abs(number) >= size:
            digits = 3 if size >= 10**9 else 2
            return f"{number / size:,.{digits}f} {unit}"
    return f"{number:,.0f}"


def shape(dimensions: Sequence[int]) -> str:
    """Return ``512 × 14 × 14``."""
    return " × ".join(f"{n:,}" for n in dimensions)


def size(dimensions: Sequence[int]) -> str:
    """Return height and width as ``14×14``."""
    return "×".join(map(str, dimensions))


def megabytes(elements: int) -> str:
    """Return the size of that many float32 numbers: ``26.7 MB`` (1 MB = 10⁶ bytes)."""
    return f"{elements * BYTES_PER_FLOAT / 1e6:,.1f} MB"


def signed(number: int) -> str:
    """Return an exact difference with its sign: ``+1,728``, ``−3,456``, ``±0``."""
    if number == 0:
        return "±0"
    return f"{'+' if number > 0 else '−'}{abs(number):,}"


def signed_short(number: float) -> str:
    """Return a difference with its sign and a prefix: ``+1.73 k``."""
    if number == 0:
        return "±0"
    return f"{'+' if number > 0 else '−'}{short(abs(number))}"


def number(value: float) -> str:
    """Return a measured value to three digits, with a true minus: ``−2.12``, ``0.000485``, ``12,000``."""
    return (f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}").replace("-", "−")


def percent(part: float, whole: float) -> str:
    """Return a share of ``whole``: ``12.3 %``; ``–`` where the whole is 0."""
    return f"{100 * part / whole:.1f} %" if whole else NO_VALUE


def ratio(times: float) -> str:
    """Return a ratio to three digits: ``16.2``, ``9.38``, ``103``."""
    return f"{times:,.{0 if times >= 100 else 1 if times >= 10 else 2}f}"


def milliseconds(ms: float) -> str:
    """Return a time to three digits: ``3.5 ms``, ``0.373 ms``."""
    return f"{ms:.3g} ms" if ms < 100 else f"{ms:,.0f} ms"


def layer_time(seconds: float) -> str:
    """Return a time in milliseconds, a short one in microseconds: ``2.35 ms``, ``170 µs``."""
    return f"{seconds * 1e3:,.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:,.0f} µs"


def memory(elements: float) -> str:
    """Return the size of that many float32 numbers, with a prefix: ``3.14 MB``, ``512 B``."""
    return _bytes(short(elements * BYTES_PER_FLOAT))


def change(now: int, before: int) -> str:
    """Return a difference with sign and percentage: ``+1,728 (+0.02 %)``. Empty when nothing changed."""
    if now == before:
        return ""
    return signed(now - before) + _relative(now, before)


def memory_change(now: int, before: int) -> str:
    """Return a difference of float32 numbers in bytes: ``+21.84 kB (+0.08 %)``. Empty when nothing changed."""
    if now == before:
        return ""
    return _bytes(signed_short((now - before) * BYTES_PER_FLOAT)) + _relative(now, before)


def markdown(text: str) -> str:
    """Return Markdown that shows this text as it is: no link, image, colour, formula or tag."""
    return text.translate(_MARKDOWN)


def _bytes(number: str) -> str:
    return f"{number}B" if number[-1].isalpha() else f"{number} B"


def _relative(now: int, before: int) -> str:
    return f" ({100 * (now - before) / before:+.2f} %)".replace("-", "−") if before else ""
