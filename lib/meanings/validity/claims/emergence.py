"""The claims of the chapter Emergence, on the published tables."""

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import cognates, layer_choice, longer, onset_tables, selection
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.effects import Effect
from meanings.statistics.onset import OWN
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.study.grid import DEFAULT_PAIRS
from meanings.validity.claims.claim import Claim, Tables
from meanings.validity.claims.estimates import from_row

CHAPTER = "emergence"
COMPARED = ("src_unpatched", "seen", "en_en", "self", "tgt")
LONG_ENOUGH = 2000  # steps after which a finished model counts as trained
LATE = 0.6  # share of training after which the shipped run lowers its learning rate


def chosen(tables: Tables, conditions: tuple[str, ...]) -> pd.DataFrame:
    """The published cells of these conditions in the book's own pairs, in the cells that they
    share, at the layers chosen on the other half of the concepts.

    Raises MeaningsError where the table lacks one of them.
    """
    table = tables["miniature"]
    rows = table[table["pair"].isin(DEFAULT_PAIRS) & table["condition"].isin(conditions)]
    if missing := set(conditions) - set(rows["condition"].unique()):
        raise MeaningsError(f"the table has no {', '.join(sorted(missing))}; publish them first")
    return layer_choice.at_chosen_layer(rows, conditions=conditions)


def of_ends(ends: tuple[float, float, float], rows: pd.DataFrame) -> Effect:
    """An estimate with its interval as an effect, with the numbers of what it rests on."""
    counts = (rows[name].nunique() for name in ("source_concept", "pair", SEED_COLUMN))
    return Effect(*ends, *counts)


def _difference(tables: Tables, a: str, b: str) -> Effect:
    """P(source) under one condition minus another at the end of training, within concepts."""
    last = selection.last_checkpoint(chosen(tables, (a, b)))
    return from_row(paired_difference(last, "p_source", a, b, n=RESAMPLES).iloc[0])


def _between(tables: Tables, late: float, early: float) -> Effect:
    """P(source) of `seen` after one share of training minus another, within concepts."""
    rows = chosen(tables, ("seen", "null_concept"))
    rows = rows[rows["condition"] == "seen"]
    tokens = sorted(rows["tokens"].unique())
    if len(tokens) < 2:
        raise MeaningsError("one checkpoint only; a rise needs two or more")
    a, b = (max(t for t in tokens if t <= share * tokens[-1]) for share in (late, early))
    rows = rows.assign(moment=rows["tokens"].map({a: "late", b: "early"}))
    rows = rows.dropna(subset="moment").drop(columns=["step", "tokens"])
    found = paired_difference(rows, "p_source", "late", "early", between="moment", n=RESAMPLES)
    return from_row(found.iloc[0])


def _earlier(tables: Tables, first: str, second: str, height_of: str = OWN) -> Effect:
    """Share of training that one condition needs less than another for half of the way to the
    height of `height_of`.
    """
    rows = chosen(tables, (*COMPARED, "null_concept"))
    ends = onset_tables.needs_less_training(rows, first, second, COMPARED, height_of=height_of)
    return of_ends(ends, rows)


def _controls(tables: Tables) -> pd.DataFrame:
    """The controls at the layers chosen for `seen`."""
    if tables["controls"].empty:
        raise MeaningsError("no controls; measure them with 'meanings validity controls'")
    return layer_choice.at_chosen_layer(tables["controls"])


def _control(tables: Tables, condition: str, value: str) -> Effect:
    rows = _controls(tables)
    rows = rows[rows["condition"] == condition]
    return from_row(interval(rows, value, n=RESAMPLES).iloc[0])


def _reversed(tables: Tables) -> Effect:
    rows = _controls(tables)
    return from_row(paired_difference(rows, "p_source", "seen", "reversed", n=RESAMPLES).iloc[0])


def _resemblance(tables: Tables) -> Effect:
    table = tables["miniature"]
    rows = selection.last_checkpoint(table[table["condition"] == "seen"])
    if rows.empty or tables["word_overlap"].empty:
        raise MeaningsError("no cells of seen, or no words; publish both tables first")
    rows = cognates.marked(layer_choice.at_chosen_layer(rows), tables["word_overlap"])
    return of_ends(cognates.added_by_resemblance(rows), rows)


def _moments(tables: Tables, late: tuple[str, int], early: tuple[str, int]) -> Effect:
    """P(source) of `seen` in one model of the long run minus another, within concepts."""
    rows = longer.chosen(tables["long_run"])
    rows = rows[rows["condition"] == "seen"]
    names = {late: "late", early: "early"}
    places = zip(rows["model"], rows["step"], strict=True)
    rows = rows.assign(moment=[names.get((model, int(step))) for model, step in places])
    rows = rows.dropna(subset="moment").drop(columns=["model", "step", "tokens"])
    found = paired_difference(rows, "p_source", "late", "early", between="moment", n=RESAMPLES)
    return from_row(found.iloc[0])


def _longer(tables: Tables) -> Effect:
    """The last finished model minus the first that was trained for at least 2,000 steps."""
    steps = longer.finished_steps(tables["long_run"])
    first = min(step for step in steps if step >= LONG_ENOUGH)
    return _moments(tables, (longer.FINISHED, steps[-1]), (longer.FINISHED, first))


def _decayed(tables: Tables) -> Effect:
    """The last finished model minus the checkpoint that it branched off."""
    start, end = longer.branched_off(tables["long_run"])
    return _moments(tables, (longer.FINISHED, end), (longer.TRUNK, start))


def _dose(tables: Tables) -> Effect:
    table = tables["worlds"]
    models = table["model"].astype(str)
    rows = table[(table["condition"] == "seen") & models.isin(["parallel-0", "parallel-100"])]
    if rows.empty:
        raise MeaningsError("no parallel-0 and parallel-100; publish the short miniatures first")
    rows = selection.last_checkpoint(rows).astype({"model": str})
    best = layer_choice.split_half_best_layer(rows, "p_source", ["model"])
    pair = ("parallel-100", "parallel-0")
    return from_row(
        paired_difference(best, "p_source", *pair, between="model", n=RESAMPLES).iloc[0]
    )


CLAIMS = (
    Claim(
        id="emergence-shared",
        chapter=CHAPTER,
        statement=(
            "The mean vector of other languages (seen) raises the probability of its concept by "
            "{value:.2f} over the vector of a third concept."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a difference of at most 0.1 between `seen` and the vector of a third concept",
        tables=("miniature",),
        effect=lambda tables: _difference(tables, "seen", "null_concept"),
    ),
    Claim(
        id="emergence-learned",
        chapter=CHAPTER,
        statement=(
            "The model learns this: from the untrained model to the end of training, P(source "
            "concept) under seen rises by {value:.2f}."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a rise of at most 0.1 over training",
        tables=("miniature",),
        effect=lambda tables: _between(tables, 1.0, 0.0),
    ),
    Claim(
        id="emergence-refines",
        chapter=CHAPTER,
        statement=(
            "P(source concept) under seen still rises when training ends: by {value:.2f} in the "
            f"last {1 - LATE:.0%} of the training."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a rise of at most 0.1 in that time, which would be a plateau",
        tables=("miniature",),
        effect=lambda tables: _between(tables, 1.0, LATE),
    ),
    Claim(
        id="emergence-longer",
        chapter=CHAPTER,
        statement=(
            "Longer training alone raises P(source concept) under seen: by {value:.2f}, between "
            "two models whose learning rate decayed alike."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a rise of at most 0.1 between finished models",
        tables=("long_run",),
        effect=_longer,
    ),
    Claim(
        id="emergence-decay",
        chapter=CHAPTER,
        statement=(
            "The decay of the learning rate raises it too: from a checkpoint at the full rate to "
            "the model that decayed from it, by {value:.2f}."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.05,
        refuted_by="a rise of at most 0.05 through the decay",
        tables=("long_run",),
        effect=_decayed,
    ),
    Claim(
        id="emergence-self-first",
        chapter=CHAPTER,
        statement=(
            "Copying in the output language (self) reaches half of its final height with "
            "{value:.0%} less training than seen."
        ),
        unit="share of training",
        side="above",
        smallest_effect=0.1,
        refuted_by="an onset of `self` that comes at most 10 % earlier than that of `seen`",
        tables=("miniature",),
        effect=lambda tables: _earlier(tables, "self", "seen"),
    ),
    Claim(
        id="emergence-direct-first",
        chapter=CHAPTER,
        statement=(
            "The direct score rises first: it reaches half of its final height with {value:.0%} "
            "less training than seen needs for the same probability."
        ),
        unit="share of training",
        side="above",
        smallest_effect=0.05,
        refuted_by="a direct score that is there at most 5 % earlier than the same P under `seen`",
        tables=("miniature",),
        effect=lambda tables: _earlier(tables, "src_unpatched", "seen", "src_unpatched"),
    ),
    Claim(
        id="emergence-self-lower",
        chapter=CHAPTER,
        statement="At the end of training seen lies above self, by {value:.2f}.",
        unit="probability",
        side="above",
        smallest_effect=0.02,
        refuted_by="a difference of at most 0.02 between `seen` and `self`",
        tables=("miniature",),
        effect=lambda tables: _difference(tables, "seen", "self"),
    ),
    Claim(
        id="emergence-mean-own-pair",
        chapter=CHAPTER,
        statement=(
            "The mean over other languages is as good as the pair's own vector (tgt), within 0.05: "
            "the difference is {value:+z.2f}."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.05,
        refuted_by="a difference of more than 0.05 between `seen` and `tgt`",
        tables=("miniature",),
        effect=lambda tables: _difference(tables, "seen", "tgt"),
    ),
    Claim(
        id="emergence-not-cognates",
        chapter=CHAPTER,
        statement=(
            "Words in common add little within an output language: {value:.2f} to P(source "
            "concept)."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.1,
        refuted_by="words in common that add more than 0.1",
        tables=("miniature", "word_overlap"),
        effect=_resemblance,
    ),
    Claim(
        id="emergence-positive-control",
        chapter=CHAPTER,
        statement=(
            "The vector of a third concept gives that third concept a probability of {value:.2f}."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.5,
        refuted_by="a probability of at most 0.5 for the null vector's own concept",
        tables=("controls",),
        effect=lambda tables: _control(tables, "null_concept", "p_own"),
    ),
    Claim(
        id="emergence-same-category",
        chapter=CHAPTER,
        statement=(
            "A concept of the same category does not stand in for the source concept: its vector "
            "gives the source concept {value:.3f}."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.02,
        refuted_by="more than 0.02 for the source concept under a vector of its category",
        tables=("controls",),
        effect=lambda tables: _control(tables, "null_category", "p_source"),
    ),
    Claim(
        id="emergence-order-of-layers",
        chapter=CHAPTER,
        statement=(
            "The order of the layers' vectors matters little: reversed they give {value:.2f} less."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.1,
        refuted_by="a loss of more than 0.1 when the layers' vectors are written in reversed order",
        tables=("controls",),
        effect=_reversed,
    ),
    Claim(
        id="emergence-dose",
        chapter=CHAPTER,
        statement=(
            "More to share gives more that is shared: with all parallel documents in two languages "
            "seen ends {value:.2f} higher than with none."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a difference of at most 0.1 between all and none",
        tables=("worlds",),
        effect=_dose,
    ),
)
