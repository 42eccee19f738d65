"""Every figure's caption says what the figure rests on: concepts or words, pairs, training runs."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

from meanings.book.facts import averaging, companions, wording
from meanings.book.tables import real_model, trust

BOOK = Path(__file__).parents[2] / "book"
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.M | re.S)
# Functions that count what a figure rests on, each of them tested below or with its module.
COUNTED = re.compile(
    r"\.(based_on|counted\w*|of_ratios|of_targeted|targeted_based_on|of_gains|compared_counts)\("
)
DRAWN = {  # drawings and arithmetic: no sample
    "fig-patch",
    "fig-runs",
    "fig-changes",
    "fig-costs-hours",
    "fig-vocabulary-designs",
    "fig-alignment-designs",
    "fig-transfer-designs",
}


def captions() -> dict[str, str]:
    """Each figure's caption, as code, by the figure's name."""
    found = {}
    for page in sorted(BOOK.glob("*.md")):
        for cell in CELL.findall(page.read_text(encoding="utf-8")):
            code = re.sub(r"^:tags:.*$", "", cell, flags=re.M)
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "show":
                    found[node.args[1].value] = ast.unparse(node.args[0])
    return found


CAPTIONS = captions()


def test_figures_are_found():
    assert len(CAPTIONS) > 40 and set(CAPTIONS) >= DRAWN


@pytest.mark.parametrize("figure", CAPTIONS)
def test_a_caption_counts_what_its_figure_rests_on(figure):
    assert bool(COUNTED.search(CAPTIONS[figure])) != (figure in DRAWN), CAPTIONS[figure]


TABLE = pd.DataFrame(
    {
        "training_seed": [0, 1, 1],
        "pair": ["de-en", "fr-en", "fr-en"],
        "source_concept": ["cat", "dog", "ox"],
        "query_word": ["Gift", "coin", "pain"],
        "role": ["query", "query", "query"],
    }
)
ENDS = {"n": [3], "n_units": [3], "n_pairs": [2], "n_language_pairs": [2], "n_seeds": [2]}


@pytest.mark.parametrize(
    ("said", "units"),
    [
        (wording.based_on(TABLE), "concepts|language pairs|training seeds"),
        (wording.of_gains({"seen": TABLE}), "concepts|language pairs|training seeds"),
        (wording.targeted_based_on({"m": TABLE}), "query words|language pairs|training seeds"),
        (wording.of_ratios(pd.DataFrame(ENDS)), "concepts|training seeds"),
        (companions.counted(pd.DataFrame(ENDS)), "concepts|language pairs|training runs"),
        (
            averaging.compared_counts({"m: x": pd.DataFrame(ENDS)}),
            "concepts|target pairs|training seeds",
        ),
        (trust.counted_runs(pd.DataFrame({"worlds": [7]})), "runs"),
        (trust.counted_permutations(pd.DataFrame({"shuffles": [7, 9]})), "rules|permutations"),
    ],
)
def test_what_is_counted_is_said_with_numbers(said, units):
    for unit in units.split("|"):
        assert re.search(rf"\d[\d,]* (\w+ )*{unit}", said), (unit, said)


def test_published_means_are_counted():
    places = [(pair, "seen", 0, 0.5, 9) for pair in ("all", "de-en", "fr-en")]
    table = pd.DataFrame(places, columns=["pair", "what", "first_layer", "mean", "n_units"])
    assert real_model.counted(table) == "9 concepts, 2 language pairs, one model"
