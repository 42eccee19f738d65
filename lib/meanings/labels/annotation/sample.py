"""Which answers are annotated: a sample stratified by model and automatic label, with the weights
that undo it.

    weight of an answer = rows that look like it x (distinct answers of its stratum / those drawn)

so that weighted counts over the sample estimate counts over all rows of the tables.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.labels.labeller import LABELS, Labeller, expectation, label_answers
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import Relations
from meanings.measures.patching import SHOTS

# What an annotator sees of a row: rows that agree in it are one question.
QUESTION = ("pair", "query", "expected", "other", "shots", "answer")
SPREAD = ("condition", "pair", "step", "first_layer")
KEY_COLUMNS = (
    "id",
    "stratum",
    "weight",
    "label",
    "evidence",
    "key",
    "first_layer",
    "prompt",
    "model",
    "training_seed",
    "step",
    "pair",
    "condition",
    "expected",
    "other",
    "shots",
)


def questions(
    df: pd.DataFrame, lexicon: Lexicon, relations: Relations, seed: int = 0
) -> pd.DataFrame:
    """One row per distinct question of `df` (rows of `results.read_cells` with answers), with
    `label`, `evidence`, `rows`.

    - `expected`, `other`: the concept that is right, and the other prompt's concept where a patch
      joins two prompts.
    - `shots`: concepts of the prompt's few-shot examples joined by `|`, empty where there are
      none.
    - `rows`: how many rows look the same to an annotator; one of them, drawn by PCG64(seed), stands
      for them.

    Raises MeaningsError where no row has an answer.
    """
    rows = df[df["answer"].notna()]
    if rows.empty:
        raise MeaningsError("no row has an answer to annotate; measure with generate above 0")
    text = [
        c
        for c in (
            "answer",
            "pair",
            "query",
            "source_concept",
            "target_concept",
            "condition",
            "model",
            *SHOTS,
        )
        if c in rows
    ]
    rows = rows.astype(dict.fromkeys(text, object))
    roles = [
        expectation(*row)
        for row in rows[["source_concept", "target_concept", "condition"]].itertuples(
            index=False, name=None
        )
    ]
    shots = pd.Series("", index=rows.index, dtype=object)
    if set(SHOTS) <= set(rows):
        shots = (
            rows["source_shots"]
            .where(rows["condition"] == "src_unpatched", rows["target_shots"])
            .fillna("")
        )
    other = ["" if expected == query else query for expected, query in roles]
    rows = rows.assign(expected=[expected for expected, _ in roles], other=other, shots=shots)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(rows))
    by = ["model", *QUESTION]
    shuffled = rows.sort_values(["key", "first_layer", "prompt"]).iloc[order]
    counts = shuffled.groupby(by, sort=False).size().rename("rows").reset_index()
    distinct = shuffled.drop_duplicates(by).merge(counts, on=by, validate="one_to_one")
    return label_answers(distinct, lexicon, relations)


def draw(distinct: pd.DataFrame, n: int, seed: int = 0) -> pd.DataFrame:
    """A stratified sample of `n` questions: as equal numbers of each model, and of each label in
    it, as there are.

    Within a model and a label the draw is systematic over condition, pair, step and first layer, so
    that each has its share, and every question of the stratum is equally likely. Adds `id` (which
    tells nothing), `stratum`, `weight`; in the order of the ids. Raises MeaningsError where there
    are fewer questions than `n`.
    """
    if not 0 < n <= len(distinct):
        raise MeaningsError(
            f"a sample of {n} answers was asked for, and there are {len(distinct)} distinct ones; "
            f"ask for 1 to {len(distinct)}"
        )
    random = np.random.Generator(np.random.PCG64(seed))
    models = sorted(distinct["model"].unique())
    found = []
    room = allocate([int((distinct["model"] == model).sum()) for model in models], n)
    for model, share in zip(models, room, strict=True):
        of_model = distinct[distinct["model"] == model]
        strata = [(label, of_model[of_model["label"] == label]) for label in LABELS]
        for (label, members), wanted in zip(
            strata, allocate([len(members) for _, members in strata], share), strict=True
        ):
            if wanted:
                ordered = members.iloc[random.permutation(len(members))].sort_values(
                    list(SPREAD), kind="stable"
                )
                at = np.floor((np.arange(wanted) + random.random()) * len(ordered) / wanted).astype(
                    int
                )
                weight = ordered["rows"].iloc[at] * len(ordered) / wanted
                found.append(ordered.iloc[at].assign(stratum=f"{model} {label}", weight=weight))
    drawn = pd.concat(found)
    names = random.choice(16**6, size=len(drawn), replace=False)
    return (
        drawn.assign(id=[f"{name:06x}" for name in names]).sort_values("id").reset_index(drop=True)
    )


def relabelled(
    key: pd.DataFrame,
    answers: dict[str, str],
    lexicon: Lexicon,
    relations: Relations,
    trained: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """A key with `label` and `evidence` by today's rules, whose strata and weights stay those of
    the draw.

    - `answers`: id -> answer, of the sheet; `trained`: the training languages of models; all of
      the lexicon's for a model that is not there.
    """
    labeller, found = Labeller(lexicon, relations), []
    for row in key.itertuples():
        shots = tuple(filter(None, row.shots.split("|")))
        found.append(
            labeller.label(
                answers[row.id],
                parse_pair(row.pair),
                row.expected,
                row.other or row.expected,
                shots,
                trained.get(row.model, ()),
            )
        )
    return key.assign(
        label=[label.name for label in found], evidence=[label.evidence for label in found]
    )


def allocate(available: list[int], n: int) -> list[int]:
    """Split `n` over classes as equally as their members allow; the others get what one lacks."""
    given = [0] * len(available)
    left = min(n, sum(available))
    while left:
        open_ = sorted(
            (i for i, most in enumerate(available) if given[i] < most), key=lambda i: (given[i], i)
        )
        each = max(1, left // len(open_))
        for i in open_:
            more = min(each, available[i] - given[i], left)
            given[i] += more
            left -= more
    return given
