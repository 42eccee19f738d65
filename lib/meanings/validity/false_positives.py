"""How often the book's claims are made where there is nothing to claim: labels shuffled at analysis
time, the same rules applied.

    false positives of a claim = share of shuffles in which its rule lets it through;  nominal: what the rule's interval promises

A claim that two labels differ is tested by exchanging them within a random half of the concepts
(the unit of every interval), in all layers, checkpoints, pairs and training runs alike: afterwards
neither label has more of anything. What is shuffled is written beside each claim. The measured
probabilities stay as they are, with the noise, skew and dependence that they have; only their
labels are drawn again.

`python -m meanings.validity.false_positives` writes data/published/false_positives.csv.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.stats import binomtest
from tqdm import tqdm

from meanings.book import chapters
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.results import published
from meanings.models.checkpoints import trajectory
from meanings.statistics import claims, layer_choice, selection
from meanings.statistics import languages as language_statistics
from meanings.statistics.correlation import rank_correlation
from meanings.study.grid import DEFAULT_PAIRS
from meanings.validity.shuffles import (
    Shuffles,
    best_layer_above_average,
    compared,
    depends,
    gains_counted,
    layers_differ,
    means,
    of_languages,
    onset_order,
    rises,
    side,
)


@dataclass(frozen=True)
class Claim:
    """A claim of the book, with what is shuffled and the rule that may still let it through.

    - `chapter`: where it is made; `rule`: in short; `version`: `now`, `before` (a rule the book had
      and gave up), `spared` (one it never had), or `shown` (no claim of the book: what choosing a
      layer does by itself).
    - `nominal`: the share of false claims that the rule promises.
    - `most`: shuffles at most, for rules that take a fit a shuffle.
    """

    claim: str
    chapter: str
    shuffled: str
    rule: str
    version: str
    nominal: float
    shuffles: Shuffles
    most: int = 10_000


def false_positives(claim: Claim, n: int, seed: int = 0) -> dict:
    """Over `n` shuffles (or the claim's most): `rate` with its Wilson interval `low`, `high`, and
    `mean`, the mean of the number that the claim is made of.
    """
    n = min(n, claim.most)
    randoms = [np.random.Generator(np.random.PCG64([seed, i])) for i in range(n)]
    # In parts, so that the resamples of many shuffles do not fill the memory.
    parts = [claim.shuffles(randoms[start : start + 200]) for start in range(0, n, 200)]
    said, numbers = (np.concatenate(each) for each in zip(*parts, strict=True))
    made = int(np.sum(said))
    low, high = binomtest(made, n).proportion_ci(method="wilson")
    fields = ("claim", "chapter", "shuffled", "rule", "version", "nominal")
    return {name: getattr(claim, name) for name in fields} | {
        "rate": made / n, "low": max(0.0, float(low)), "high": float(high), "shuffles": n, "mean": float(np.mean(numbers)),
    }  # fmt: skip


def all_claims() -> list[Claim]:
    """Every claim of the book that shuffling can test, on the published table of the miniature."""
    table = published("miniature")
    table = table[table["prompt_seed"] == table["prompt_seed"].min()]
    own = table[table["pair"].isin(DEFAULT_PAIRS)]
    curves = means(own, ["condition", "tokens", "first_layer"])
    last = curves[curves["tokens"] == curves["tokens"].max()]
    page = set(trajectory("miniature", 0).thin(8).steps)
    measured = means(
        own[(own["training_seed"] == 0) & own["step"].isin(page)],
        ["condition", "tokens", "first_layer"],
    )
    page_end = measured[measured["tokens"] == measured["tokens"].max()]
    whole = last[last["first_layer"] == 0]

    concepts = "two conditions, within concepts"
    found = [
        Claim(
            "seen above a wrong concept",
            "emergence",
            concepts,
            "interval of the difference above 0, layer by split halves",
            "now",
            0.025,
            compared(page_end, "seen", "null_concept", one_sided=True),
        ),
        Claim(
            "seen above a wrong concept",
            "index",
            concepts,
            "the same, over training runs",
            "now",
            0.025,
            compared(last, "seen", "null_concept", one_sided=True),
        ),
        Claim(
            "seen above a wrong concept",
            "emergence",
            concepts,
            "the same at the best layer of all concepts",
            "spared",
            0.025,
            compared(page_end, "seen", "null_concept", one_sided=True, naive=True),
        ),
        Claim(
            "seen and tgt differ",
            "emergence",
            concepts,
            "interval of the difference without 0",
            "now",
            0.05,
            compared(page_end, "seen", "tgt"),
        ),
        Claim(
            "best layer above the average layer",
            "emergence",
            "layers, within concepts",
            "interval above 0, split halves",
            "shown",
            0.025,
            best_layer_above_average(page_end[page_end["condition"] == "seen"], True),
        ),
        Claim(
            "best layer above the average layer",
            "emergence",
            "layers, within concepts",
            "the same, chosen on all concepts",
            "spared",
            0.025,
            best_layer_above_average(page_end[page_end["condition"] == "seen"], False),
        ),
        Claim(
            "seen or self comes first",
            "emergence",
            concepts,
            "intervals of the onsets do not meet",
            "now",
            0.05,
            onset_order(measured, "seen", "self"),
            200,
        ),
        Claim(
            "seen emerges during training",
            "emergence",
            "checkpoints, within concepts",
            "interval of the onset after the first checkpoint",
            "now",
            0.025,
            rises(measured),
            200,
        ),
    ]
    for a, b in (("seen", "null_concept"), ("seen", "tgt"), ("en_en", "seen"), ("self", "seen")):
        title = f"{a} and {b.replace('null_concept', 'a wrong concept')} differ, all layers patched"
        found.append(
            Claim(
                title,
                "real_model",
                concepts,
                "interval of the difference without 0",
                "now",
                0.05,
                compared(whole, a, b),
            )
        )
    return [*found, *_of_languages(table), *_of_answers(own)]


def _of_languages(table: pd.DataFrame) -> list[Claim]:
    page = chapters.validated("language_dependence", {})
    last = selection.split_pairs(selection.last_checkpoint(table))
    chosen = layer_choice.at_chosen_layer(last)
    patched = chosen[chosen["condition"] == "seen"]
    facts = language_statistics.facts(page, last)
    of_each = facts.merge(language_statistics.alignment(patched), on="language").merge(
        language_statistics.ceilings(chosen), on="language"
    )
    through = selection.split_pairs(layer_choice.at_chosen_layer(selection.followed(table)))
    through = means(through[through["condition"] == "seen"], ["output", "tokens"])
    joined = language_statistics.onsets(through, list(facts["language"]))
    joined = joined[joined["onset"] < np.inf].merge(facts[["language", "share"]], on="language")
    swept = last[
        (last["condition"] == "seen") & last["output"].isin(language_statistics.spread(of_each, 6))
    ]
    where, names = "language_dependence", list(language_statistics.RANKED)
    outputs, concepts = "output languages, within concepts", "input and output, within concepts"
    return [
        Claim(
            "alignment depends on the language",
            where,
            outputs,
            "interval of the best above that of the worst",
            "before",
            0.05,
            depends(patched, tested=False),
        ),
        Claim(
            "alignment depends on the language",
            where,
            outputs,
            "Friedman's test over concepts",
            "now",
            0.05,
            depends(patched, tested=True),
        ),
        Claim(
            "the output side matters more",
            where,
            concepts,
            "larger spread of means",
            "before",
            0.025,
            side(patched, interval=False),
        ),
        Claim(
            "the output side matters more",
            where,
            concepts,
            "interval of the difference of spreads above 0",
            "now",
            0.025,
            side(patched, interval=True),
        ),
        Claim(
            "one property goes with alignment most",
            where,
            "alignment over languages",
            "largest rank correlation, always named",
            "before",
            0.05,
            of_languages(of_each, "mean", lambda t: True),
        ),
        Claim(
            "one property goes with alignment most",
            where,
            "alignment over languages",
            "largest rank correlation beats the largest of 95 % of shuffles",
            "now",
            0.05,
            of_languages(
                of_each,
                "mean",
                lambda t: bool(claims.goes_with(t, names)["p_any"].min() < claims.LEVEL),
            ),
        ),
        Claim(
            "more text joins earlier",
            where,
            "share over languages",
            "rank correlation below -0.3",
            "before",
            0.025,
            of_languages(
                joined, "share", lambda t: rank_correlation(t["share"], t["onset"]) < -0.3
            ),
        ),
        Claim(
            "more text joins earlier",
            where,
            "share over languages",
            "negative, and beyond 95 % of shuffles",
            "now",
            0.025,
            of_languages(joined, "share", claims.earlier),
        ),
        Claim(
            "best layers differ between languages",
            where,
            outputs,
            "best layers more than one apart",
            "before",
            0.05,
            layers_differ(swept, interval=False),
        ),
        Claim(
            "best layers differ between languages",
            where,
            outputs,
            "their intervals more than one apart",
            "now",
            0.05,
            layers_differ(swept, interval=True),
        ),
    ]


def _of_answers(own: pd.DataFrame) -> list[Claim]:
    rows = layer_choice.at_chosen_layer(selection.last_checkpoint(own[own["training_seed"] == 0]))
    rows = rows[rows["condition"].isin(["seen", "src_unpatched"]) & rows["answer"].notna()]
    answers = rows.assign(right=rows["answer_correct_source"].astype(float))
    answers = means(answers, ["condition", "pair"], "right")
    points = pd.DataFrame({"probability": np.arange(48.0), "chrf": np.arange(48.0)})
    where, within = "error_analysis", "before and after, within concepts"
    return [
        Claim(
            "patching gains more than it loses",
            where,
            within,
            "more gains than losses",
            "before",
            0.025,
            gains_counted(answers),
        ),
        Claim(
            "patching gains more than it loses",
            where,
            within,
            "interval of the difference in right answers above 0",
            "now",
            0.025,
            compared(
                answers.assign(first_layer=0),
                "seen",
                "src_unpatched",
                one_sided=True,
                value="right",
            ),
        ),
        Claim(
            "probability stands for the answer",
            where,
            "chrF over pairs and layers",
            "rank correlation above 0.8",
            "now",
            0.025,
            of_languages(
                points, "chrf", lambda t: rank_correlation(t["probability"], t["chrf"]) > 0.8
            ),
        ),
    ]


def table(n: int = 1000, seed: int = 0, progress: bool = False) -> pd.DataFrame:
    """False positives of every claim: a row a claim and rule, the columns of `Claim`, and those of
    `false_positives`.
    """
    return pd.DataFrame(
        [false_positives(claim, n, seed) for claim in tqdm(all_claims(), disable=not progress)]
    )


def main(
    shuffles: Annotated[int, typer.Option(help="Shuffles of each claim.")] = 1000,
    seed: Annotated[int, typer.Option(help="Draws the shuffles.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Without it data/published/false_positives.csv.", show_default=False),
    ] = None,
) -> None:
    """How often the book's claims are made where labels were shuffled."""
    if shuffles < 1:
        raise MeaningsError(f"--shuffles {shuffles}: at least 1 is needed")
    path = out or data_folder() / "published" / "false_positives.csv"
    aside = path.with_suffix(f".{os.getpid()}.aside")
    table(shuffles, seed, progress=True).to_csv(
        aside, index=False, float_format="%.6g", lineterminator="\n"
    )
    os.replace(aside, path)
    typer.echo(path)


if __name__ == "__main__":
    try:
        typer.run(main)
    except MeaningsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
