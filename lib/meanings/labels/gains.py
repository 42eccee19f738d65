"""Gains and losses of patching by kind: which answers that become right with a patch are better
translation, and which are only another choice.

For the same concept pair, the answer to the source prompt (which asks for the concept directly) is
compared with the answer to the patched target prompt. What the wrong one of the two is says what
kind of change it was:

    kind         the wrong answer was                         a gain means
    translation  an unrelated word, or no word at all         the word was not found before:
                                                              better translation
    sense        another sense, a broader or narrower concept a sense was selected
    copying      the query word, a few-shot example, a form   copying stopped
                 of both languages
    language     the right concept in another language        the output language was fixed
    form         the right word in another form               only the form changed
    prompt       the other prompt's concept                   (losses only) the patch had no effect

    gain = P(right with the patch, wrong without)
    loss = P(wrong with the patch, right without)
    net  = gain - loss

The change of P(source concept) is divided in the same way, by the kind of the answer to the source
prompt.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.labels.labeller import label_answers
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import Relations
from meanings.statistics.bootstrap import interval
from meanings.statistics.layer_choice import at_chosen_layer
from meanings.statistics.matching import shared_cells

RIGHT = ("correct", "synonym")
KINDS: dict[str, tuple[str, ...]] = {
    "translation": ("other", "not_a_word"),
    "sense": ("other_sense", "hypernym_hyponym"),
    "copying": ("copy", "few_shot", "homograph"),
    "language": ("wrong_language",),
    "form": ("other_form",),
    "prompt": ("target_concept",),
}
KIND_OF = {label: kind for kind, labels in KINDS.items() for label in labels}
PROMPT_COLUMNS = (
    "model",
    "training_seed",
    "step",
    "tokens",
    "pair",
    "prompt_seed",
    "prompt",
    "source_concept",
    "target_concept",
)


def changed_answers(labelled: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Answers to the source prompt beside those under `condition`, one row per concept pair that
    has both.

    Columns: `PROMPT_COLUMNS` (those that the table has), `before`, `after` (labels), `p_before`,
    `p_after`; `direction`: 1 gain, -1 loss, 0 neither; and `kind`: the kind of the gain or loss,
    else `right` or `wrong` (both times).

    - `labelled`: rows with `label`, of one first layer a concept pair under `condition`.

    Raises MeaningsError where no concept pair was answered both times.
    """
    prompt = [name for name in PROMPT_COLUMNS if name in labelled]
    answers = {}
    for when, name in (("before", "src_unpatched"), ("after", condition)):
        rows = labelled[(labelled["condition"] == name) & labelled["label"].notna()]
        rows = rows.astype(
            {
                name: str
                for name in ("pair", "label", "source_concept", "target_concept", "model")
                if name in rows
            }
        )
        answers[when] = rows.set_index(prompt)[["label", "p_source"]].rename(
            columns={"label": when, "p_source": f"p_{when}"}
        )
    both = answers["before"].join(answers["after"], how="inner").reset_index()
    if both.empty:
        raise MeaningsError(
            f"no concept pair was answered both without a patch and under {condition!r}; measure "
            "with generate_patched: every, or last"
        )
    if both.duplicated(prompt).any():
        raise MeaningsError(
            "a concept pair has answers at several first layers; choose one before counting gains"
        )
    right = {when: both[when].isin(RIGHT) for when in answers}
    direction = right["after"].astype(int) - right["before"].astype(int)
    wrong = np.where(direction > 0, both["before"], both["after"])
    kind = pd.Series(wrong, index=both.index).map(KIND_OF)
    kind = kind.where(direction != 0, np.where(right["after"], "right", "wrong"))
    return both.assign(direction=direction, kind=kind)


def by_condition(
    cells: pd.DataFrame,
    conditions: Sequence[str],
    lexicon: Lexicon,
    relations: Relations,
    first_layer: int = -1,
) -> dict[str, pd.DataFrame]:
    """`changed_answers` of each condition that has answers, at one first layer; a null takes the
    layer chosen for `seen`.
    """
    found = {}
    for name in conditions:
        rows = cells[cells["condition"].isin([name, "seen", "src_unpatched"])]
        if not (rows[rows["condition"] == name]["answer"].notna()).any():
            continue
        chosen = at_chosen_layer(rows, first_layer)
        found[name] = changed_answers(
            label_answers(
                chosen[chosen["condition"].isin([name, "src_unpatched"])], lexicon, relations
            ),
            name,
        )
    return found


def decomposed(rows: pd.DataFrame, by: Sequence[str] = (), n: int = 1000) -> pd.DataFrame:
    """Rates of gains and losses by kind, with intervals over concepts (and training seeds): `by`,
    `change`, `kind`, `mean`, `low`, `high`.

    A rate is a share of all concept pairs answered, so that the kinds add up to all gains, or all
    losses; `kind` is `all` for these sums and for `net`.
    """
    found = []
    for change, sign in (("gain", 1), ("loss", -1)):
        for kind in (*KINDS, "all"):
            hit = (rows["direction"] == sign) & ((rows["kind"] == kind) | (kind == "all"))
            found.append(
                interval(rows.assign(hit=hit.astype(float)), "hit", list(by), n=n).assign(
                    change=change, kind=kind
                )
            )
    found.append(
        interval(rows.assign(hit=rows["direction"].astype(float)), "hit", list(by), n=n).assign(
            change="net", kind="all"
        )
    )
    return pd.concat(found, ignore_index=True)


def decomposed_by_group(
    changed: Mapping[str, pd.DataFrame], by: Sequence[str] = (), n: int = 1000
) -> pd.DataFrame:
    """`decomposed` of several conditions beside each other, with a column `group`.

    Of each model, over the concept pairs that all of its groups have.

    - `changed`: by group, what `changed_answers` gives. Raises MeaningsError where the groups of a
      model have none in common.
    """
    rows = pd.concat([rows.assign(group=name) for name, rows in changed.items()])
    models = rows.groupby("model", observed=True) if "model" in rows else [("", rows)]
    parts = [shared_cells(part, list(changed), column="group") for _, part in models]
    shared = pd.concat(parts, ignore_index=True)
    return pd.concat(
        [decomposed(shared[shared["group"] == name], by, n).assign(group=name) for name in changed],
        ignore_index=True,
    )


def share_of(
    rows: pd.DataFrame, kinds: Sequence[str], n: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Of all gains, the share of these kinds, with a percentile interval over concepts; NaN where
    there is no gain.

    share = gains of these kinds / all gains,   both drawn again together
    """
    gained = rows[rows["direction"] == 1].assign(
        hit=lambda table: table["kind"].isin(kinds).astype(float)
    )
    if gained.empty:
        return (float("nan"),) * 3
    by_concept = gained.groupby("source_concept")["hit"].agg(["sum", "size"]).to_numpy()
    random = np.random.Generator(np.random.PCG64(seed))
    draws = by_concept[random.integers(len(by_concept), size=(n, len(by_concept)))].sum(1)
    low, high = np.quantile(draws[:, 0] / draws[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return float(gained["hit"].mean()), float(low), float(high)


def probability_change(rows: pd.DataFrame, by: Sequence[str] = (), n: int = 1000) -> pd.DataFrame:
    """Mean change of P(source concept) by the kind of the answer to the source prompt.

    Columns: `by`, `kind`, `mean`, `low`, `high`.

        change[kind] = mean over concept pairs of  P after - P before  where the answer before was
                       of that kind, else 0

    The kinds (`right` for an answer that was right before) add up to the whole change, `all`.
    """
    before = np.where(rows["before"].isin(RIGHT), "right", rows["before"].map(KIND_OF))
    change = rows["p_after"] - rows["p_before"]
    found = []
    for kind in ("right", *KINDS, "all"):
        part = np.where((before == kind) | (kind == "all"), change, 0.0)
        found.append(interval(rows.assign(part=part), "part", list(by), n=n).assign(kind=kind))
    return pd.concat(found, ignore_index=True)
