"""What the answers to targeted query words are, and what a gain consists of."""

from collections.abc import Sequence

import pandas as pd

from meanings.labels.gains import changed_answers, decomposed
from meanings.labels.labeller import label_answers
from meanings.lexicon.lexicon import load_lexicon
from meanings.lexicon.relations import load_relations
from meanings.statistics.targeted import KINDS, UNIT

# Words that readers know from the paper, or that show a kind at a glance, shown first.
WELL_KNOWN = ("coin", "gift", "pain", "pie", "chat", "story", "historia", "histoire", "bat", "nail")


def label_targeted(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with `label` and `evidence`, each by the lexicon that it was measured with.

    - `rows`: of `meanings.statistics.targeted.at_one_layer`.
    """
    parts = [
        label_answers(part, load_lexicon(str(name)), load_relations())
        for name, part in rows.groupby("lexicon", observed=True)
    ]
    return pd.concat(parts, ignore_index=True)


def gains(labelled: pd.DataFrame, condition: str, role: str = "query") -> pd.DataFrame:
    """One row per query word (or control): what became of its answer, with `word_kind`.

    - `labelled`: of `label_targeted`. Columns of `meanings.labels.gains.changed_answers`, and
      `query_word`, which is also the unit (`source_concept`) that intervals resample.
    """
    rows = labelled[labelled["role"] == role]
    found = changed_answers(rows, condition)
    place = ["model", "training_seed", "step", "pair", "prompt"]
    words = rows.drop_duplicates(place)[[*place, "kind", UNIT, "word"]]
    joined = found.merge(
        words.rename(columns={"kind": "word_kind"}), on=place, validate="one_to_one"
    )
    return joined.assign(concept=joined["source_concept"], source_concept=joined[UNIT])


def gain_kinds(labelled: pd.DataFrame, condition: str, role: str = "query") -> pd.DataFrame:
    """Rates of gains and losses by kind of change for each kind of word: see
    `meanings.labels.gains.decomposed`, with `word_kind`.
    """
    return decomposed(gains(labelled, condition, role), ["word_kind"])


def counts(labelled: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """How many answers have each label, by kind of word and condition: `kind`, `condition`,
    `label`, `n`; query words only.
    """
    rows = labelled[(labelled["role"] == "query") & labelled["condition"].isin(list(conditions))]
    names = ["kind", "condition", "label"]
    return rows.astype({"label": str}).groupby(names).size().rename("n").reset_index()


def cases(labelled: pd.DataFrame, condition: str, count: int, seed: int = 0) -> pd.DataFrame:
    """Query words before and after a patch, to be read: `kind`, `pair`, `word`, `concept`,
    `before`, `label_before`, `after`, `label_after`.

    `count` words of each kind whose answer changes: well-known ones first, then drawn at random.
    """
    place = ["pair", "item", "kind", "word", "source_concept", "prompt"]
    rows = labelled[labelled["role"] == "query"].astype({"label": str})
    before = rows[rows["condition"] == "src_unpatched"].set_index(place)[["answer", "label"]]
    after = rows[rows["condition"] == condition].set_index(place)[["answer", "label"]]
    both = before.add_suffix("_before").join(after.add_suffix("_after"), how="inner").reset_index()
    both = both[both["answer_before"].str.casefold() != both["answer_after"].str.casefold()]
    both = both.sample(frac=1, random_state=seed)
    known = both["word"].str.casefold().isin(WELL_KNOWN)
    both = pd.concat([both[known], both[~known]]).groupby("kind", sort=False).head(count)
    both = both.rename(
        columns={"answer_before": "before", "answer_after": "after", "source_concept": "concept"}
    )
    names = ["kind", "pair", "word", "concept", "before", "label_before", "after", "label_after"]
    order = both["kind"].map(KINDS.index).rename("order")
    return both[names].assign(order=order).sort_values(["order", "pair", "word"])[names]
