"""Claims of *Gender*: each comes out of the published files again with pandas alone, and says
otherwise where the tables do.
"""

import pandas as pd
import pytest

from meanings.core.paths import data_folder
from meanings.statistics.gender import DOSES
from meanings.validity.claims import catalogue, gender

CLAIMS = {claim.id: claim for claim in gender.CLAIMS}
OTHERS = ["de", "es", "fr"]


def table(name):
    rows = pd.read_parquet(data_folder() / "published" / f"{name}.parquet")
    return rows.astype({"variant": str, "language_a": str, "model": str})


def change(variant, languages):
    """Half of the lines planted minus none, mean over training runs that have both."""
    rows = table("gender")
    rows = rows[rows["variant"].eq(variant) & rows["layer"].ne(0)]
    rows = rows[rows["step"].eq(600) & rows["language_a"].isin(languages)]
    runs = rows.groupby(["model", "training_seed"])["value"].mean()
    return (runs["planted-50"] - runs["planted-0"]).dropna().mean()


def gemma(variant, languages, layer):
    rows = table("gemma-3-270m-gender")
    rows = rows[rows["variant"].eq(variant) & rows["language_a"].isin(languages)]
    return rows[rows["layer"].eq(layer)]["value"].mean()


RECOMPUTED = {
    "gender-answers": lambda: change("said", ["en"]),
    "gender-answers-stay": lambda: change("said", ["en"]) - change("said", OTHERS),
    "gender-signed": lambda: change("signed", ["en"]),
    "gender-in-bias": lambda: change("raw", ["en"]),
    "gender-narrow": lambda: gemma("raw", ["en", *OTHERS], 9) - gemma("raw", ["en", *OTHERS], 0),
    "gender-forms": lambda: gemma("forms", OTHERS, 9),
}


def test_every_claim_has_a_function_of_its_own():
    assert set(RECOMPUTED) == set(CLAIMS)


def tables(claim):
    return {name: catalogue.table(name) for name in claim.tables}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claims_value_comes_out_of_the_published_files_again(name):
    effect, _ = CLAIMS[name].decide(tables(CLAIMS[name]))
    assert effect.value == pytest.approx(RECOMPUTED[name](), rel=1e-5, abs=1e-6)


def exchanged(rows):
    """The worlds with the largest and without a dose change places."""
    other = {"planted-0": "planted-50", "planted-50": "planted-0"}
    return rows.assign(model=rows["model"].astype(str).replace(other))


def larger(rows):
    """In-bias follows the dose: a tenth more in the world that is planted."""
    return rows.assign(
        **{
            name: rows[name] + 0.2 * rows["model"].astype(str).eq("planted-50")
            for name in ("value", "low", "high")
        }
    )


def upside_down(rows):
    """Layers in the other order."""
    return rows.assign(layer=rows["layer"].max() - rows["layer"])


def without_forms(rows):
    return rows.assign(**{name: rows["null"] for name in ("value", "low", "high")})


def crossed(rows):
    """All languages answer as English does."""
    rows = rows.astype({"language_a": str, "model": str})
    english = rows[rows["language_a"].eq("en") & rows["model"].isin(list(DOSES))]
    copies = [english.assign(language_a=code) for code in ("en", *OTHERS)]
    return pd.concat(copies, ignore_index=True)


CHANGES = {
    "gender-answers": (exchanged, {"refuted"}),
    "gender-answers-stay": (crossed, {"refuted", "undecided"}),
    "gender-signed": (exchanged, {"refuted", "undecided"}),
    "gender-in-bias": (larger, {"refuted"}),
    "gender-narrow": (upside_down, {"refuted", "undecided"}),
    "gender-forms": (without_forms, {"refuted"}),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_falls_where_the_tables_say_otherwise(name):
    change_, verdicts = CHANGES[name]
    changed = {key: change_(rows) for key, rows in tables(CLAIMS[name]).items()}
    assert CLAIMS[name].decide(changed)[1] in verdicts


def test_a_table_without_planted_worlds_decides_nothing():
    rows = catalogue.table("gender")
    plain = rows[~rows["model"].isin(list(DOSES))]
    for name in ("gender-answers", "gender-answers-stay", "gender-signed", "gender-in-bias"):
        assert CLAIMS[name].decide({"gender": plain}) == (None, "undecided")
