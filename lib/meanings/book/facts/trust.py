"""What the page How far to trust this says."""

import pandas as pd

from meanings.book.facts.wording import either, plain_names
from meanings.statistics import sensitivity
from meanings.statistics.correlation import rank_correlation

SETTINGS = {
    "shots": "number of few-shot examples",
    "template": "template",
    "source_pairs": "number of language pairs",
    "layers": "one layer or all later ones",
    "score": "first token or whole word",
}
GAIN_IS = {
    "languages": "languages it is, and not averaging",
    "averaging": "averaging it is, and not languages",
    "both": "both add something",
    "none": "neither adds anything",
    "languages cost": "other languages cost something",
}


def known_truth(trials: pd.DataFrame) -> dict[str, object]:
    """How often layers are reported rightly, and how often the onset's interval covers the truth.

    - `trials`: one row a trial, `what` was asked `by` which kind of patch, `true` and `reported`.
    """
    covered = trials[trials["what"] == "coverage"]["reported"]
    return {
        "tr_alone": _right(trials, "meeting layer", "one layer alone"),
        "tr_meeting": _right(trials, "meeting layer", "all later layers"),
        "tr_reading": _right(trials, "reading layer", "all later layers"),
        "tr_cover_low": f"{covered.min():.0%}",
        "tr_cover_high": f"{covered.max():.0%}",
    }


def _right(trials: pd.DataFrame, what: str, by: str) -> str:
    rows = trials[(trials["what"] == what) & (trials["by"] == by)]
    return f"{int((rows['true'] == rows['reported']).sum())} of {len(rows)}"


def false_claims(rates: pd.DataFrame) -> dict[str, object]:
    """Which rules claim more than they promise where labels are shuffled.

    - `rates`: one row a rule: `claim`, `version` (now, before, ...), `rate` with its interval, and
      the `nominal` rate that the rule promises.
    """
    excess = rates[rates["low"] > rates["nominal"]]
    now = rates[rates["version"] == "now"]
    over, given_up = (excess[excess["version"] == name] for name in ("now", "before"))
    worst = given_up.sort_values("rate").iloc[-1]
    names = [
        f"{row.claim} ({row.rate:.0%} where {row.nominal:.0%} is promised)"
        for row in over.itertuples()
    ]
    return {
        "tr_rules": len(now),
        "tr_over": len(over) or "none",
        "tr_over_names": "; ".join(names) or "all keep their word",
        "tr_shuffles": int(rates["shuffles"].max()),
        "tr_before": len(given_up),
        "tr_worst": worst["claim"],
        "tr_worst_rate": f"{worst['rate']:.0%}",
    }


def nothing_shared(claims: pd.DataFrame) -> dict[str, object]:
    """How often a shared space is claimed of models that share nothing.

    - `claims`: one row a training seed and pair: `mean` difference, `claimed`, `matters`.
    """
    return {
        "tr_apart_n": len(claims),
        "tr_apart_seeds": claims["training_seed"].nunique(),
        "tr_apart": int(claims["claimed"].sum()),
        "tr_apart_matters": int(claims["matters"].sum()),
        "tr_apart_largest": f"{claims['mean'].max():.3f}",
    }


def blind_spot(rows: pd.DataFrame) -> dict[str, object]:
    """What a patch of the source word's own states brings back, and what reads the word.

    - `rows`: one row a model, training seed and pair: P(source) of each step, attention by layer.
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
        "tr_mini_reach": f"{recovered:.0%}",
        "tr_mini_first": f"{ours['attention_0']:.2f}",
    }


def settings(table: pd.DataFrame, scores: pd.DataFrame) -> dict[str, object]:
    """What the study's own choices change.

    - `table`: the published means by setting; `scores`: each concept's `first_token` and `word`.
    """
    found = {name: sensitivity.comparisons(table, name) for name in SETTINGS}
    beaten = [name for name in SETTINGS if sensitivity.beats_null(found[name])]
    disordered = [
        title for name, title in SETTINGS.items() if not sensitivity.same_order(found[name])
    ]
    return {
        "tr_factors": len(SETTINGS),
        "tr_beats": len(beaten),
        "tr_order": either(
            not disordered,
            "no setting turns the order of two conditions round",
            f"the order of conditions depends on: {plain_names(disordered)}",
        ),
        "tr_word": f"{scores['word'].mean():.2f}",
        "tr_token": f"{scores['first_token'].mean():.2f}",
        "tr_word_rank": f"{rank_correlation(scores['first_token'], scores['word']):.2f}",
    }


def averaging(gains: pd.DataFrame, table: pd.DataFrame) -> dict[str, object]:
    """Whether languages help, or only averaging.

    - `gains`: differences by number of prompts `k` and `what` is compared, most prompts last.
    """
    last = gains[gains["k"] == gains["k"].iloc[-1]].set_index("what")
    text = {
        what: f"{row['mean']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        for what, row in last.iterrows()
    }
    return {
        "tr_gain_over": text["over languages"],
        "tr_lines": text["over examples"],
        "tr_same": text["languages, same number"],
        "tr_gain": GAIN_IS[sensitivity.gain_is(table)],
    }


def verdicts(table: pd.DataFrame) -> dict[str, object]:
    """How many of the book's claims hold in every training run, and what becomes of the others.

    - `table`: one row a claim, with its `verdict`.
    """
    held = table["verdict"].str.startswith("holds in every seed")
    others = [f"“{claim}” {text}" for claim, text in table.loc[~held, "verdict"].items()]
    return {
        "tr_claims": len(table),
        "tr_held": int(held.sum()),
        "tr_not": "; ".join(others) or "none",
    }
