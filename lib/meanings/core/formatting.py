"""Numbers as readers see them: counts, intervals, bytes, durations."""

import math
import re
from numbers import Real

NEGATIVE_ZERO = re.compile(r"(?<![\w.])-(?=0(?:\.0+)?(?![\d.]*\d))")


def amount(number: Real) -> str:
    """A count in short: 1.5k, 20M, 4T; one without end lies beyond what was measured."""
    if not math.isfinite(number):
        return "beyond"
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def span(mean: Real, low: Real, high: Real) -> str:
    """A mean with its interval as text."""
    return f"{mean:z.2f} [{low:z.2f}, {high:z.2f}]"


def unbroken(estimate: str) -> str:
    """An estimate whose interval, in brackets, stays on one line."""
    value, bracket, rest = estimate.partition("[")
    return value + bracket + rest.replace(" ", "\u00a0")


def number(value: Real) -> str:
    """Two digits at least, none after the point from ten on."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def size(count: Real) -> str:
    """Bytes in short, in powers of 1000."""
    unit, letters = next(
        (
            (unit, letters)
            for unit, letters in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
            if count >= unit
        ),
        (1.0, "B"),
    )
    return f"{count / unit:.3g} {letters}"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def unsigned_zeros(text: str) -> str:
    """A text whose numbers have no sign where they round to zero: 0.00 for -0.00."""
    return NEGATIVE_ZERO.sub("", text)
