"""What the chapter Retrieval says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import companions, wording
from meanings.statistics.companions import at_best, over_seeds


def coverage(rows: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {"rt_label": label, "rt_words": companions.words(rows)}


def levels(curves: pd.DataFrame, floor: pd.DataFrame | None) -> dict[str, object]:
    """Heights at the end of training, beside the floor."""
    return {"rt_end": companions.at_end(curves), "rt_floor": companions.floor_at_end(floor)}


def moments(
    onset: pd.DataFrame,
    band: tuple[float, float] | None,
    rows: pd.DataFrame,
    raw: pd.DataFrame,
) -> dict[str, object]:
    """When retrieval rises, by CSLS and by raw cosines, and whether before patching."""
    return {
        "rt_onset": companions.onset(onset, rows),
        "rt_before": companions.before(onset, band),
        "rt_raw_onset": companions.onset(raw, rows),
    }


def floors(world: pd.DataFrame | None) -> dict[str, object]:
    """P@1 and its null where languages share nothing."""
    if world is None:
        return {"rt_apart_value": "(not published)", "rt_apart_null": "(not published)"}
    row = over_seeds(at_best(world[world["step"] == world["step"].max()], "csls")).iloc[0]
    return {
        "rt_apart_value": f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]",
        "rt_apart_null": f"{row['null']:.3f}",
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"rt_says_{name.removeprefix('retrieval_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "Retrieval of parallel words or sentences measures cross-lingual alignment (used by "
            "several of the related papers).",
            said["retrieval_apart"],
            "in part",
            "Where nothing is shared it is low, but above a null that permutes all words freely.",
        ),
        (
            "Alignment of a pair reflects what its two languages were trained on side by side.",
            said["retrieval_never"],
            "in part",
            "Pairs that never stand side by side are aligned too, by way of others. Taught "
            "concepts are ahead of held-out ones.",
        ),
    ]
