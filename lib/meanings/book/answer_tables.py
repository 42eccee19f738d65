"""What the model wrote, before and after a patch: labels, chrF against the accepted words, rows to read."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sacrebleu.metrics import CHRF

from meanings.annotation.agreement import Agreement
from meanings.lexicon import Lexicon
from meanings.book.readings import RESAMPLES, split_pairs
from meanings.statistics import interval

GROUPS = {"src_unpatched": "source prompt", "tgt_unpatched": "target prompt"}
PATCHED_GROUP = "target prompt, patched"
RIGHT = ("correct", "synonym")  # as scored; `other_form` is no accepted word


def answered(chosen: pd.DataFrame, condition: str) -> pd.DataFrame:
    """The rows with a generated answer: both unpatched prompts and the patched one, with columns `group`, `input`, `output`, `wanted`.

    - `wanted`: the concept whose word would be right: the source's on source prompts and after a patch, else the target's.
    """
    rows = chosen[chosen["condition"].isin([*GROUPS, condition]) & chosen["answer"].notna()]
    names = rows["condition"].astype(str)
    before = names == "tgt_unpatched"
    wanted = np.where(before, rows["target_concept"].astype(str), rows["source_concept"].astype(str))
    return split_pairs(rows).assign(group=names.map(GROUPS).fillna(PATCHED_GROUP).to_numpy(), wanted=wanted, answer=rows["answer"].astype(str))


def references(rows: pd.DataFrame, lexicon: Lexicon) -> list[tuple[str, ...]]:
    """The accepted words of each row's wanted concept in its output language."""
    return [lexicon.words(concept, code) for concept, code in zip(rows["wanted"], rows["output"], strict=True)]


def right_rate(labelled: pd.DataFrame) -> pd.DataFrame:
    """Share of right answers (an accepted word of the wanted concept) with its interval: `group`, `mean`, `low`, `high`."""
    rows = labelled.assign(right=labelled["label"].isin(RIGHT).astype(float))
    return interval(rows, "right", ["group"], n=RESAMPLES)


def with_chrf(rows: pd.DataFrame, lexicon: Lexicon) -> tuple[pd.DataFrame, str]:
    """The rows with `chrf` (0 to 100) of each answer against the accepted words, and sacrebleu's signature.

    Source: Popović 2015; Post 2018.
    """
    metric, words = CHRF(), references(rows, lexicon)
    scores = [metric.sentence_score(answer, list(accepted)).score for answer, accepted in zip(rows["answer"], words, strict=True)]
    # The signature tells of what was counted last: of all answers, whose numbers of accepted words differ.
    columns = [[accepted[i] if i < len(accepted) else None for accepted in words] for i in range(max(map(len, words)))]
    metric.corpus_score(list(rows["answer"]), columns)
    return rows.assign(chrf=scores), str(metric.get_signature())


def shares(labelled: pd.DataFrame, by: str = "group", order: Sequence[str] = (*GROUPS.values(), PATCHED_GROUP)) -> pd.DataFrame:
    """Share of each label in each group: columns `group`, `label`, `share`; groups in `order`."""
    counts = labelled.astype({"label": str}).groupby([by, "label"], observed=True).size().rename("n").reset_index()
    counts["share"] = counts["n"] / counts.groupby(by, observed=True)["n"].transform("sum")
    place = {name: i for i, name in enumerate(order)}
    counts = counts.sort_values([by, "n"], key=lambda c: c.map(place) if c.name == by and place else -c if c.name == "n" else c)
    return counts.rename(columns={by: "group"})[["group", "label", "n", "share"]].reset_index(drop=True)


def examples(labelled: pd.DataFrame, count: int, seed: int = 0) -> pd.DataFrame:
    """Rows to read: as many of each label as there is room for, drawn at random; `$` would be read as a formula and is written wide."""
    rows = labelled.astype({"label": str}).sample(frac=1, random_state=seed)
    rows = rows.assign(turn=rows.groupby("label", observed=True).cumcount()).sort_values(["turn", "label"]).head(count).sort_values(["label", "pair"])
    table = rows[["pair", "query", "wanted", "answer", "label", "evidence", "p_source", "chrf"]].rename(columns={"query": "asked for", "wanted": "wanted concept", "p_source": "P(source)", "chrf": "chrF"})
    table["answer"] = table["answer"].astype(str).map(plain)
    table["evidence"] = table["evidence"].fillna("").astype(str)
    table["label"] = table["label"].str.replace("_", " ")
    table["chrF"] = table["chrF"].round().astype(int)
    return table.astype({"pair": str}).round({"P(source)": 2}).set_index("pair")


def disagreements(labelled: pd.DataFrame, count: int) -> pd.DataFrame:
    """Answers on which probability and word disagree most: P(source) high and the answer wrong, or low and right, half of each."""
    rows = labelled.assign(right=labelled["label"].isin(RIGHT))
    most = [rows[~rows["right"]].nlargest(count // 2, "p_source"), rows[rows["right"]].nsmallest(count - count // 2, "p_source")]
    found = pd.concat(most, ignore_index=True)
    table = found[["pair", "wanted", "answer", "label", "evidence", "p_source", "chrf"]].astype({"pair": str, "label": str})
    table = table.assign(answer=table["answer"].astype(str).map(plain), label=table["label"].str.replace("_", " "), evidence=table["evidence"].fillna("").astype(str))
    table = table.rename(columns={"wanted": "wanted concept", "p_source": "P(source)", "chrf": "chrF"})
    return table.round({"P(source)": 2, "chrF": 0}).astype({"chrF": int}).set_index("pair")


def label_quality(found: Agreement) -> pd.DataFrame:
    """Precision and recall of the automatic labels by label, with the counts that they rest on."""
    table = found.classes.rename(index=lambda name: name.replace("_", " ")).rename_axis("label")
    return table[["precision", "recall", "automatic", "gold", "both"]].round({"precision": 2, "recall": 2})


def plain(text: str) -> str:
    """Model output as it may stand in a table: control characters made visible, no formula marks."""
    return "".join(c if c.isprintable() else "␣" for c in text).replace("$", "＄") or "(nothing)"


def quality(cells: pd.DataFrame, lexicon: Lexicon, condition: str) -> pd.DataFrame:
    """Mean P(source) and chrF of each pair and first layer under a condition: `pair`, `first_layer`, `probability`, `chrf`."""
    rows, _ = with_chrf(answered(cells[cells["condition"] == condition], condition), lexicon)
    table = rows.astype({"pair": str}).groupby(["pair", "first_layer"]).agg(probability=("p_source", "mean"), chrf=("chrf", "mean"))
    return table.reset_index()
