"""What the page How far to trust this says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts.wording import either, plain_names
from meanings.book.figures.palette import look
from meanings.book.tables import trust as tables
from meanings.statistics import sensitivity
from meanings.statistics.correlation import rank_correlation
from meanings.statistics.effects import SMALLEST_EFFECT

SETTINGS = {
    "shots": "number of few-shot examples",
    "template": "template",
    "source_pairs": "number of language pairs",
    "layers": "one layer or all later ones",
    "score": "first token or whole word",
}
LINES = {
    "no_quotes": "without quotes",
    "no_names": "without language names",
    "brackets": "in brackets",
}
GAIN_IS = {
    "languages": "the gain comes from mixing languages and not from averaging over examples",
    "averaging": "the gain comes from averaging over examples and not from mixing languages",
    "both": "mixing languages and averaging over examples both add to the gain",
    "none": "neither mixing languages nor averaging over examples adds anything",
    "languages cost": "mixing languages costs something",
}


def known_truth(trials: pd.DataFrame) -> dict[str, object]:
    """How often layers are found and falsely reported, and how often the onset's interval covers
    the truth.

    - `trials`: one row per trial, `what` was measured `by` which kind of patch, `true` and
      `reported`.
    """
    found = tables.detections(trials).reset_index().set_index(["layer", "patched"])
    covered = trials[trials["what"] == "coverage"]["reported"]
    one, later = (
        found.loc["meeting layer", "one layer alone"],
        ("meeting layer", "all later layers"),
    )
    return {
        "tr_alone": one["found"],
        "tr_alone_false": one["false alarms"],
        "tr_later": found.loc[later, "found"],
        "tr_later_false": found.loc[later, "false alarms"],
        "tr_reading": found.loc[("reading layer", "all later layers"), "found"],
        "tr_cover_low": f"{covered.min():.0%}",
        "tr_cover_high": f"{covered.max():.0%}",
    }


def false_claims(rates: pd.DataFrame) -> dict[str, object]:
    """Which rules exceed their nominal rate where labels are permuted.

    - `rates`: one row per rule: `claim`, `version` (now, before, ...), `rate` with its interval,
      and the `nominal` rate that the rule promises.
    """
    excess = rates[rates["low"] > rates["nominal"]]
    now = rates[rates["version"] == "now"]
    over, given_up = (excess[excess["version"] == name] for name in ("now", "before"))
    worst = given_up.sort_values("rate").iloc[-1]
    names = [
        f"{row.claim} ({row.rate:.0%}, nominal {row.nominal:.0%})" for row in over.itertuples()
    ]
    zero = int((now["rate"] == 0).sum())
    return {
        "tr_smallest": f"{SMALLEST_EFFECT:.2f}",
        "tr_rules": len(now),
        "tr_over_says": either(
            over.empty,
            "No rule in use exceeds its nominal rate of false claims",
            f"These rules exceed their nominal rate: {'; '.join(names)}",
        ),
        "tr_never": zero,
        "tr_shuffles": f"{rates['shuffles'].max():,}",
        "tr_before": len(given_up),
        "tr_worst": worst["claim"],
        "tr_worst_rate": f"{worst['rate']:.0%}",
    }


def nothing_shared(claims: pd.DataFrame) -> dict[str, object]:
    """How often a shared space is claimed of models that share nothing.

    - `claims`: one row per training seed and pair: `mean` difference with its interval, `above
      zero`, `claimed`.
    """
    return {
        "tr_apart_n": len(claims),
        "tr_apart_seeds": claims["training_seed"].nunique(),
        "tr_apart_zero": int(claims["above zero"].sum()),
        "tr_apart": int(claims["claimed"].sum()) or "none",
        "tr_apart_largest": f"{claims['mean'].max():z.3f}",
        "tr_apart_high": f"{claims['high'].max():z.3f}",
    }


def blind_spot(rows: pd.DataFrame) -> dict[str, object]:
    """What a patch of the source word's own states brings back, and what reads the word.

    - `rows`: one row per model, training seed and pair: P(source) of each step, attention by layer.
    """
    means = rows.groupby("model").mean(numeric_only=True)
    one, ours = means.loc["one-token"], means.loc["miniature"]
    recovered = (ours["layers"] - ours["target"]) / (ours["asked"] - ours["target"])
    return {
        "tr_one_asked": f"{one['asked']:.2f}",
        "tr_one_layers": f"{one['layers']:.2f}",
        "tr_one_embedding": f"{one['embedding']:.2f}",
        "tr_one_seen": f"{one['seen']:.3f}",
        "tr_one_head": f"{one['attention_0']:.2f}",
        "tr_mini_reach": f"{recovered:z.0%}",
        "tr_mini_first": f"{ours['attention_0']:.2f}",
    }


def settings(table: pd.DataFrame, scores: pd.DataFrame) -> dict[str, object]:
    """What the study's own choices change.

    - `table`: the published means by setting; `scores`: each concept's `first_token` and `word`.
    """
    found = {name: sensitivity.comparisons(table, name) for name in SETTINGS}
    templates = found["template"]
    found["template"] = templates[templates["template"].isin(sensitivity.TRAINED_TEMPLATES)]
    beaten = [name for name in SETTINGS if sensitivity.beats_null(found[name])]
    disordered = [
        title for name, title in SETTINGS.items() if not sensitivity.same_order(found[name])
    ]
    return {
        "tr_factors": len(SETTINGS),
        "tr_beats": len(beaten),
        "tr_order": either(
            not disordered,
            "no setting reverses the order of two conditions",
            f"the order of conditions depends on: {plain_names(disordered)}",
        ),
        "tr_reversed": _reversed(sensitivity.reversals(templates, "template")),
        "tr_word": f"{scores['word'].mean():.2f}",
        "tr_token": f"{scores['first_token'].mean():.2f}",
        "tr_word_rank": f"{rank_correlation(scores['first_token'], scores['word']):z.2f}",
    }


def _reversed(found: Mapping[str, list[str]]) -> str:
    """Which orders another template reverses, in sentences."""
    by_lines: dict[str, list[str]] = {}
    for other, values in found.items():
        lines = " and ".join(LINES.get(value, value) for value in values)
        by_lines.setdefault(lines, []).append(look(other).label)
    parts = [
        f"Lines {lines} reverse an order: there seen lies above {' and '.join(others)}, and in "
        "lines of the training text below."
        for lines, others in by_lines.items()
    ]
    return " ".join(parts) or "Other lines reverse no order either."


def templates(found: pd.DataFrame) -> dict[str, object]:
    """P(source) in the lines that the miniature was trained on, and in others.

    - `found`: means by `template` and `condition`.
    """
    means = found.pivot(index="template", columns="condition", values="mean")
    groups = {
        "trained": sensitivity.TRAINED_TEMPLATES,
        "separators": sensitivity.SEPARATORS,
        "unquoted": (sensitivity.NO_QUOTES,),
        "other": sensitivity.OTHER_LINES,
    }
    seen, direct = (
        {name: _from_to(means.loc[list(some), condition]) for name, some in groups.items()}
        for condition in ("seen", "src_unpatched")
    )
    return {
        "tr_lines_trained": seen["trained"],
        "tr_lines_separators": seen["separators"],
        "tr_lines_unquoted": seen["unquoted"],
        "tr_lines_other": seen["other"],
        "tr_direct_unquoted": direct["unquoted"],
        "tr_direct_other": direct["other"],
    }


def _from_to(values: pd.Series) -> str:
    low, high = f"{values.min():.2f}", f"{values.max():.2f}"
    return low if low == high else f"{low} to {high}"


def averaging(gains: pd.DataFrame, table: pd.DataFrame) -> dict[str, object]:
    """Whether languages help, or only averaging.

    - `gains`: differences by number of prompts `k` and `what` is compared, most prompts last.
    """
    last = gains[gains["k"] == gains["k"].iloc[-1]].set_index("what")
    text = {
        what: f"{row['mean']:+z.3f} [{row['low']:+z.3f}, {row['high']:+z.3f}]"
        for what, row in last.iterrows()
    }
    return {
        "tr_gain_over": text["over languages"],
        "tr_lines": text["over examples"],
        "tr_same_number": text["languages, same number"],
        "tr_gain": GAIN_IS[sensitivity.gain_is(table)],
    }


def claims(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """How many of the book's claims hold, and in how many all training runs agree.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    verdicts = [row["verdict"] for row in rows]
    several = [row["by_seed"] for row in rows if row["by_seed"]]
    same = [len({run["verdict"] for run in runs.values()}) == 1 for runs in several]
    return {
        "tr_claims": len(rows),
        "tr_held": verdicts.count("holds"),
        "tr_refuted": verdicts.count("refuted"),
        "tr_undecided": verdicts.count("undecided"),
        "tr_several": len(several),
        "tr_same": sum(same),
    }
