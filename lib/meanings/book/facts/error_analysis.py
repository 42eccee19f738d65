"""What the chapter Error analysis says."""

from collections.abc import Mapping

import pandas as pd

from meanings.book.chapter_parameters import ErrorAnalysis
from meanings.book.facts.wording import either, interval
from meanings.core.formatting import span
from meanings.labels import answers, gains
from meanings.labels.annotation.agreement import Agreement
from meanings.labels.label import in_words
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.targeted import targeted_queries
from meanings.statistics import claims, selection
from meanings.statistics.correlation import rank_correlation

GAINS = {
    1: "patching gains more right answers than it loses",
    -1: "patching loses more right answers than it gains",
    0: "the interval of the net change contains zero",
}
FEW = 30  # agreed answers of a label, below which its precision and recall say little


def labels(page: ErrorAnalysis, labelled: pd.DataFrame) -> dict[str, object]:
    """How often each kind of prompt is answered rightly, and the most frequent mistake.

    - `labelled`: one row per answer, with `group`, `label` and `step`.
    """
    right = answers.right_rate(labelled)
    groups = (*answers.GROUPS.values(), answers.PATCHED_GROUP)
    source, target, patched = (selection.one(right, group=name) for name in groups)
    after = labelled[labelled["group"] == answers.PATCHED_GROUP]
    wrong = after[~after["label"].isin(answers.RIGHT)]["label"].astype(str).value_counts()
    return {
        "ea_condition": page.condition,
        "ea_step": int(labelled["step"].max()),
        "ea_source": interval(source),
        "ea_target": interval(target),
        "ea_patched": interval(patched),
        "ea_kept": either(
            patched["mean"] >= 0.5 * source["mean"],
            "patching keeps most of the accuracy",
            "patching loses much of the accuracy",
        ),
        "ea_wrong": in_words(wrong.index[0]) if len(wrong) else "none",
        "ea_wrong_share": f"{wrong.iloc[0] / len(after):.0%}" if len(wrong) else "none",
    }


def language_pairs(after: pd.DataFrame) -> dict[str, object]:
    """The pairs with the most and the fewest right answers.

    - `after`: the labelled answers of patched prompts.
    """
    rate = answers.right_rate(after.assign(group=after["pair"].astype(str))).sort_values("mean")
    low, high = rate.iloc[0], rate.iloc[-1]
    return {
        "ea_low": low["group"],
        "ea_high": high["group"],
        "ea_low_share": interval(low),
        "ea_high_share": interval(high),
    }


def gains_and_losses(changes: Mapping[str, pd.DataFrame], condition: str) -> dict[str, object]:
    """What a patch gains and loses, and how much of the gain is better translation.

    - `changes`: by condition, one row per concept pair: what became of its answer. Those of the
      other model begin with `Gemma: `.
    """
    own = changes[condition]
    rates = gains.decomposed(own).set_index(["change", "kind"])
    gained, lost, net = (rates.loc[(change, "all")] for change in ("gain", "loss", "net"))
    count = int((own["direction"] == 1).sum())
    better = span(*gains.share_of(own, ["translation"]))
    return {
        "ea_gains": count,
        "ea_gained": interval(gained),
        "ea_lost": interval(lost),
        "ea_net": interval(net),
        "ea_gain_says": GAINS[claims.sign(net)],
        "ea_better": either(
            count > 0, f"a share of {better} is better translation", "there is none to take apart"
        ),
        "ea_null_gain": _gain_of_null(changes),
        "ea_other": _other_model(changes),
    }


def _gain_of_null(changes: Mapping[str, pd.DataFrame]) -> str:
    if "null_concept" not in changes:
        return "not measured"
    rates = gains.decomposed(changes["null_concept"]).set_index(["change", "kind"])
    return f"{rates.loc[('gain', 'all'), 'mean']:.3f}"


def _other_model(changes: Mapping[str, pd.DataFrame]) -> str:
    if "Gemma: self" not in changes:
        return "No other model is beside it"
    share = span(*gains.share_of(changes["Gemma: self"], ["translation"]))
    return (
        f"Of Gemma's gains under self a share of {share} is better translation; the rest stopped "
        "copying or chose another sense"
    )


def few_ambiguous(changed: pd.DataFrame, lexicon: Lexicon) -> dict[str, object]:
    """How many of the drawn query words are false friends or have several senses.

    - `changed`: one row per concept pair, of one condition.
    """
    pairs = [parse_pair(name) for name in sorted(changed["pair"].unique())]
    ambiguous = {
        (str(query.pair), query.concept)
        for query in targeted_queries(lexicon, pairs)
        if query.kind in ("false_friend", "polysemous")
    }
    places = zip(changed["pair"], changed["source_concept"], strict=True)
    found = sum(place in ambiguous for place in places)
    return {"ea_few": f"{found} of {len(changed)}"}


def chrf(
    by_answer: pd.DataFrame, cells: pd.DataFrame, labelled: pd.DataFrame, signature: str
) -> dict[str, object]:
    """chrF before and after a patch, and its rank correlation with the probability: per answer,
    within language pairs, and over means.

    - `by_answer`: `pair`, `p_source` and `chrf` of each patched answer at one first layer; `cells`:
      means of `probability` and `chrf` by pair and first layer; `labelled`: `chrf` by answer.
    """
    means = labelled.groupby("group")["chrf"].mean()
    found = rank_correlation(by_answer["p_source"], by_answer["chrf"])
    within = [
        rank_correlation(rows["p_source"], rows["chrf"]) for _, rows in by_answer.groupby("pair")
    ]
    return {
        "ea_signature": signature,
        "ea_rank": f"{found:z.2f}",
        "ea_rank_low": f"{min(within):z.2f}",
        "ea_rank_high": f"{max(within):z.2f}",
        "ea_rank_means": f"{rank_correlation(cells['probability'], cells['chrf']):z.2f}",
        "ea_rank_cells": len(cells),
        "ea_chrf": f"{means[answers.PATCHED_GROUP]:.0f}",
        "ea_chrf_source": f"{means['source prompt']:.0f}",
        "ea_agree": either(
            found > 0.8,
            "the first token's probability predicts the quality of a single answer well",
            "the first token's probability predicts the quality of a single answer only in part",
        ),
    }


def label_quality(agreement: Agreement) -> dict[str, object]:
    """How far two blind passes agree with each other, and the rules with them."""
    classes = agreement.classes
    rare = classes[classes["gold"] < FEW]
    counts = [f"{in_words(name)} ({row['gold']:.0f})" for name, row in rare.iterrows()]
    return {
        "ea_answers": agreement.answers,
        "ea_alpha": span(agreement.alpha, agreement.low, agreement.high),
        "ea_f1": f"{agreement.macro_f1:.2f}",
        "ea_undecided": agreement.undecided,
        "ea_rare": ", ".join(counts) or "none",
        "ea_no_list": f"{classes['precision'].get('not_a_word', float('nan')):.2f}",
        "ea_other_form": f"{classes['recall'].get('other_form', float('nan')):.2f}",
    }
