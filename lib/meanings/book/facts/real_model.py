"""What the page From the miniature to a real model says."""

from collections.abc import Mapping

import pandas as pd

from meanings.book.facts.wording import COMPARED, either, interval
from meanings.book.tables import real_model as tables
from meanings.statistics import claims

Lexicons = Mapping[str, pd.DataFrame]


def levels(embedded: pd.DataFrame, simlex: pd.DataFrame) -> dict[str, object]:
    """Ceiling, `seen` and null on two lexicons, all layers overwritten.

    - `embedded`, `simlex`: published means (`meanings.statistics.summaries.means`).
    """
    ceiling, seen, null = (
        tables.at(embedded, name) for name in ("src_unpatched", "seen", "null_concept")
    )
    other_ceiling, other_seen, other_null = (
        tables.at(simlex, name) for name in ("src_unpatched", "seen", "null_concept")
    )
    return {
        "rm_name": "Gemma 3 270M",
        "rm_bits": 4,
        "rm_concepts": int(seen["n_units"]),
        "rm_ceiling": interval(ceiling),
        "rm_seen": interval(seen),
        "rm_null": f"{null['mean']:.3f}",
        "rm_correct": f"{ceiling['correct']:.0%}",
        "rm_s_ceiling": interval(other_ceiling),
        "rm_s_seen": interval(other_seen),
        "rm_s_null": f"{other_null['mean']:.3f}",
        "rm_s_correct": f"{other_ceiling['correct']:.0%}",
        "rm_until": tables.last_read(embedded),
        "rm_s_until": tables.last_read(simlex),
        "rm_layers": int(embedded["first_layer"].max()) + 1,
    }


def language_pairs(embedded: pd.DataFrame, simlex: pd.DataFrame) -> dict[str, object]:
    """How many pairs and languages, and the pairs at both ends on Multi-SimLex."""
    pairs = [sorted(set(table["pair"]) - {"all"}) for table in (embedded, simlex)]
    level = {pair: tables.at(simlex, "seen", pair)["mean"] for pair in pairs[1]}
    best, worst = max(level, key=level.__getitem__), min(level, key=level.__getitem__)
    return {
        "rm_languages": len({code for some in pairs for pair in some for code in pair.split("-")}),
        "rm_pairs": len(pairs[0]),
        "rm_simlex_pairs": len(pairs[1]),
        "rm_best": f"{best} ({level[best]:.2f})",
        "rm_worst": f"{worst} ({level[worst]:.2f})",
    }


def comparisons(models: Lexicons) -> dict[str, object]:
    """What the intervals of differences say in each model.

    - `models`: published means, by the name of the model and its lexicon.
    """
    gains = [tables.at(table, "seen - null_concept") for table in models.values()]
    return {
        "rm_gain_says": either(
            all(row["low"] > 0 for row in gains), "in all of them", "not in all of them"
        ),
        "rm_gains": _by_model(models, "seen - null_concept"),
        "rm_hurts": _by_model(models, "seen - tgt"),
        "rm_english": _by_model(models, "en_en - seen"),
        "rm_own": _by_model(models, "self - seen"),
    }


def _by_model(models: Lexicons, difference: str) -> str:
    return "; ".join(
        f"{name}: {COMPARED[claims.sign(tables.at(table, difference))]}"
        for name, table in models.items()
    )
