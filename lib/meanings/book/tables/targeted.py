"""Tables of targeted query words: what they are, cases to read, effects and claims."""

from collections.abc import Mapping, Sequence

import pandas as pd

from meanings.book.tables.answers import plain
from meanings.core.formatting import span
from meanings.labels.label import in_words
from meanings.statistics.targeted import KIND_NAMES, UNIT
from meanings.validity.claims.catalogue import stated
from meanings.validity.claims.claim import Claim, Tables

EXAMPLES = {
    "false_friend": "German Gift means poison; English has a word gift",
    "polysemous": "English bat is an animal or a club, with two words in French",
    "cognate": "piano is the same word in English and French",
}


def kinds(changed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The kinds of words, with an example and counts for each model: queries, different words,
    language pairs.

    - `changed`: by model, `meanings.statistics.targeted.changes`.
    """
    table = pd.DataFrame({"for example": {KIND_NAMES[k]: text for k, text in EXAMPLES.items()}})
    for model, rows in changed.items():
        own = rows[rows["role"] == "query"].groupby("kind")
        counts = {
            KIND_NAMES[kind]: f"{len(part[['pair', 'item']].drop_duplicates())} queries, "
            f"{part[UNIT].nunique()} words, {part['pair'].nunique()} pairs"
            for kind, part in own
        }
        table[model] = pd.Series(counts)
    return table.rename_axis("kind").fillna("none")


def cases(found: pd.DataFrame) -> pd.DataFrame:
    """Words before and after the patch, by kind: see `meanings.labels.targeted.cases`."""
    return pd.DataFrame(
        {
            "kind": found["kind"].map(KIND_NAMES),
            "query word: sense": [
                f"{pair} {plain(word)}: {concept}"
                for pair, word, concept in found[["pair", "word", "concept"]].to_numpy()
            ],
            "asked directly": _answer(found, "before"),
            "with the patch": _answer(found, "after"),
        }
    ).set_index("kind")


def _answer(found: pd.DataFrame, when: str) -> pd.Series:
    labels = found[f"label_{when}"].map(in_words).astype(str)
    return found[when].astype(str).map(plain) + " (" + labels + ")"


def effects(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Differences to the controls with intervals, n and the smallest effect that would have been
    found; one row per model, condition and kind.

    - `tables`: by model, rows of `meanings.statistics.targeted.compared` with `condition`.
    """
    rows = pd.concat([table.assign(model=model) for model, table in tables.items()])
    rows = rows[rows["what"] == "difference"]
    table = pd.DataFrame(
        {
            "model": rows["model"],
            "condition": rows["condition"],
            "kind": rows["kind"].map(KIND_NAMES),
            "queries": rows["n"],
            "words": rows["n_units"],
            "difference to controls": [
                span(*row) for row in rows[["mean", "low", "high"]].to_numpy()
            ],
            "detectable (80 % power)": rows["detectable"].round(2),
        }
    )
    return table.set_index(["model", "condition", "kind"])


def same_pairs(shared: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> pd.DataFrame:
    """Accuracy of the query words, and of their controls in brackets, where all conditions are
    measured; one row per model and kind.

    - `shared`: by model, `meanings.statistics.targeted.at_shared_pairs`; `titles`: headings of the
      conditions, in order.
    """
    found = []
    for model, rows in shared.items():
        right = rows.set_index(["kind", "role", "condition"])["right"]
        for kind in [kind for kind in KIND_NAMES if kind in set(rows["kind"])]:
            own = rows[(rows["kind"] == kind) & (rows["role"] == "query")]
            cells = {
                title: f"{right[kind, 'query', name]:.0%} ({right[kind, 'control', name]:.0%})"
                for name, title in titles.items()
            }
            found.append({"model": model, "kind": KIND_NAMES[kind], "n": own["n"].max()} | cells)
    return pd.DataFrame(found).set_index(["model", "kind"])


def claims(entries: Sequence[Claim], tables: Tables) -> pd.DataFrame:
    """The claims with what these tables say of them."""
    found = []
    for claim in entries:
        effect, verdict = claim.decide(tables)
        statement = stated(claim, effect)
        size = f"{effect.n_concepts}; {effect.n_pairs}; {effect.n_seeds}" if effect else "-"
        found.append((statement, size, verdict))
    columns = ["claim", "words; pairs; seeds", "verdict"]
    return pd.DataFrame(found, columns=columns).set_index("claim")
