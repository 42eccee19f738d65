"""What the page Rerun it says."""

from meanings.core.formatting import duration
from meanings.core.status_line import EVERY
from meanings.study.running import LEASE


def running() -> dict[str, object]:
    """How often a study without a terminal says what it does, and how long another machine's claim
    on a language pair outlives it.
    """
    return {"rr_every": duration(EVERY), "rr_lease": duration(LEASE)}
