"""Tables of answers to read."""

import pandas as pd

from meanings.labels.annotation.agreement import Agreement
from meanings.labels.answers import RIGHT
from meanings.labels.label import in_words


def examples(labelled: pd.DataFrame, count: int, seed: int = 0) -> pd.DataFrame:
    """Rows to read: as many of each label as there is room for, drawn at random; `$` would be read
    as a formula and is written wide.
    """
    rows = labelled.astype({"label": str}).sample(frac=1, random_state=seed)
    rows = (
        rows.assign(turn=rows.groupby("label", observed=True).cumcount())
        .sort_values(["turn", "label"])
        .head(count)
        .sort_values(["label", "pair"])
    )
    table = rows[
        ["pair", "query", "wanted", "answer", "label", "evidence", "p_source", "chrf"]
    ].rename(
        columns={
            "query": "asked for",
            "wanted": "wanted concept",
            "p_source": "P(source)",
            "chrf": "chrF",
        }
    )
    table["answer"] = table["answer"].astype(str).map(plain)
    table["evidence"] = table["evidence"].fillna("").astype(str)
    table["label"] = table["label"].map(in_words)
    table["chrF"] = table["chrF"].round().astype(int)
    return table.astype({"pair": str}).round({"P(source)": 2}).set_index("pair")


def disagreements(labelled: pd.DataFrame, count: int) -> pd.DataFrame:
    """Answers on which probability and word disagree most: P(source) high and the answer wrong, or
    low and right, half of each.
    """
    rows = labelled.assign(right=labelled["label"].isin(RIGHT))
    most = [
        rows[~rows["right"]].nlargest(count // 2, "p_source"),
        rows[rows["right"]].nsmallest(count - count // 2, "p_source"),
    ]
    found = pd.concat(most, ignore_index=True)
    table = found[["pair", "wanted", "answer", "label", "evidence", "p_source", "chrf"]].astype(
        {"pair": str, "label": str}
    )
    table = table.assign(
        answer=table["answer"].astype(str).map(plain),
        label=table["label"].map(in_words),
        evidence=table["evidence"].fillna("").astype(str),
    )
    table = table.rename(
        columns={"wanted": "wanted concept", "p_source": "P(source)", "chrf": "chrF"}
    )
    return table.round({"P(source)": 2, "chrF": 0}).astype({"chrF": int}).set_index("pair")


def label_quality(found: Agreement) -> pd.DataFrame:
    """Precision and recall of the automatic labels by label, with the counts that they rest on."""
    table = found.classes.rename(index=in_words).rename_axis("label")
    table = table.rename(columns={"gold": "reference"})
    return table[["precision", "recall", "automatic", "reference", "both"]].round(
        {"precision": 2, "recall": 2}
    )


def plain(text: str) -> str:
    """Model output for a table: control characters made visible, no formula marks."""
    return "".join(c if c.isprintable() else "␣" for c in text).replace("$", "＄") or "(nothing)"
