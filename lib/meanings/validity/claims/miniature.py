"""Claims of the page *The miniature*: what the model can do without a patch."""

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.languages import parse_pair
from meanings.miniature.recipe import load_mix
from meanings.statistics import selection
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.effects import Effect
from meanings.validity.claims import estimates
from meanings.validity.claims.claim import Claim, Tables

CHAPTER = "miniature"
TABLE = "miniature"


def own_word(tables: Tables) -> Effect:
    """P(target concept) of unpatched prompts between two languages of the training text."""
    return _unpatched(tables, taught=(True, False))


def never_beside(tables: Tables) -> Effect:
    """The same in the pairs of languages that never stand side by side in the training text."""
    return _unpatched(tables, taught=(False,))


def _unpatched(tables: Tables, taught: tuple[bool, ...]) -> Effect:
    end = selection.last_checkpoint(tables[TABLE])
    rows = end[(end["condition"] == "tgt_unpatched") & end["pair"].map(beside()).isin(taught)]
    if rows.empty:
        raise MeaningsError(
            f"the published table {TABLE!r} has no unpatched prompts of such pairs"
            "; measure and publish them"
        )
    return estimates.from_row(interval(rows, "p_target", unit="target_concept").iloc[0])


def beside() -> dict[str, bool]:
    """By pair of trained languages: whether the two stand side by side in the training text."""
    mix = load_mix(data_folder() / "miniature" / "mix.yaml")
    seen = mix.seen_languages
    pairs = [parse_pair(f"{a}-{b}") for a in seen for b in seen if a != b]
    return {str(pair): bool(mix.taught(pair.input, pair.output)) for pair in pairs}


def itself(tables: Tables) -> Effect:
    """P(target concept) of a prompt patched with its own vectors, minus that without a patch."""
    end = selection.last_checkpoint(tables[TABLE])
    own = end[(end["condition"] == "tgt_tgt") & (end["first_layer"] == 0)]
    both = pd.concat([own, end[end["condition"] == "tgt_unpatched"]])
    row = paired_difference(both, "p_target", "tgt_tgt", "tgt_unpatched", unit="target_concept")
    return estimates.from_row(row.iloc[0])


CLAIMS = (
    Claim(
        id="miniature-translates",
        chapter=CHAPTER,
        statement=(
            "Without a patch, the miniature gives the right word a probability of {value:z.2f} "
            "between languages of its training text."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.25,
        refuted_by="a probability of at most .25",
        tables=(TABLE,),
        effect=own_word,
    ),
    Claim(
        id="miniature-never-beside",
        chapter=CHAPTER,
        statement=(
            "Without a patch, the miniature gives the right word a probability of {value:z.2f} "
            "between languages that never stand side by side in its training text."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.25,
        refuted_by="a probability of at most .25",
        tables=(TABLE,),
        effect=never_beside,
    ),
    Claim(
        id="method-identity",
        chapter="method",
        statement=(
            "A prompt patched with its own vectors answers as before: P(target) changes by "
            "{value:z.4f}."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.001,
        refuted_by="a change of more than .001",
        tables=(TABLE,),
        effect=itself,
    ),
)
