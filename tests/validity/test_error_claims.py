"""The claims of *Error analysis*: recomputed without the rules, and changed where the table is."""

import pandas as pd
import pytest

from meanings.measures.results import published
from meanings.validity.claims.error_analysis import CLAIMS, MODELS

PLACE = ["training_seed", "pair", "item", "kind"]
BY_ID = {claim.id: claim for claim in CLAIMS}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rows = published("targeted")
    names = ["model", "pair", "condition", "kind", "role", "word", "answer"]
    return rows.astype(dict.fromkeys(names, object))


def values(table: pd.DataFrame, model: str, layer: int) -> dict[str, float]:
    """The value of each claim on a model, with one first layer for all words; pandas alone."""
    rows = table[table["model"] == model]
    rows = rows[rows["step"] == rows["step"].max()]
    rows = rows.assign(
        right=rows["answer_correct_source"].astype(float),
        copied=(rows["answer"].str.casefold() == rows["word"].str.casefold()).astype(float),
    )
    before = rows[rows["condition"] == "src_unpatched"].set_index([*PLACE, "role"])
    after = rows[(rows["condition"] == "seen") & (rows["first_layer"] == layer)]
    change = after.set_index([*PLACE, "role"])[["right", "copied"]] - before[["right", "copied"]]
    wide = change.unstack("role")
    wide.columns = [f"{outcome} {role}" for outcome, role in wide.columns]
    wide = wide.reset_index()
    queries = before.xs("query", level="role")["word"]
    words = queries.reindex(pd.MultiIndex.from_frame(wide[PLACE])).to_numpy()
    wide["unit"] = wide["pair"].str[:2] + words
    wide["difference"] = wide["right query"] - wide["right control"]

    def mean(column: pd.Series, kind: str = "") -> float:
        own = (wide["kind"] == kind) if kind else wide["kind"].notna()
        by_seed = column[own].groupby([wide["training_seed"][own], wide["unit"][own]]).mean()
        return float(by_seed.groupby(level=0).mean().mean())

    short = model.partition("-")[0]
    return {
        f"errors-false-friends-{short}": mean(wide["difference"], "false_friend"),
        f"errors-words-of-several-senses-{short}": mean(wide["difference"], "polysemous"),
        f"errors-copying-{short}": mean(wide["copied query"], "false_friend"),
        f"errors-cognates-{short}": mean(wide["difference"], "cognate"),
        f"errors-plain-{short}": mean(wide["right control"]),
    }


@pytest.mark.parametrize("model", MODELS)
def test_each_value_is_recomputed_without_the_rules(table, model):
    layers = sorted(set(table.loc[table["model"] == model, "first_layer"]) - {-1})
    found = [values(table, model, layer) for layer in layers]
    assert set(found[0]) == {name for name in BY_ID if name.endswith(model.partition("-")[0])}
    for name in found[0]:
        effect, _ = BY_ID[name].decide({"targeted": table})
        alone = [each[name] for each in found]
        # The halves of the words may have different layers.
        assert min(alone) - 1e-9 <= effect.value <= max(alone) + 1e-9
        if model == "miniature":
            assert min(abs(effect.value - value) for value in alone) < 1e-9


def test_a_claim_falls_where_query_words_and_controls_change_places(table):
    other = table.assign(role=table["role"].map({"query": "control", "control": "query"}))
    held = [c for c in CLAIMS if c.side == "above" and c.decide({"targeted": table})[1] == "holds"]
    assert held
    for claim in held:
        assert claim.decide({"targeted": other})[1] == "refuted"


def test_a_claim_falls_where_the_patch_changes_no_answer(table):
    place = ["model", "step", "training_seed", "pair", "prompt"]
    before = table[table["condition"] == "src_unpatched"].set_index(place)
    where = pd.MultiIndex.from_frame(table[place])
    same = table.assign(
        answer=before["answer"].reindex(where).to_numpy(),
        answer_correct_source=before["answer_correct_source"].reindex(where).to_numpy(),
    )
    for claim in CLAIMS:
        effect, verdict = claim.decide({"targeted": same})
        assert effect.value == 0 and verdict == ("holds" if claim.side == "within" else "refuted")


def test_fewer_words_make_a_wider_interval(table):
    claim = BY_ID["errors-words-of-several-senses-miniature"]
    whole, _ = claim.decide({"targeted": table})
    part, _ = claim.decide({"targeted": table[table["item"] % 4 == 0]})
    assert part.high - part.low > 1.3 * (whole.high - whole.low)
    assert part.n_concepts < whole.n_concepts


def test_a_model_that_is_not_measured_decides_nothing(table):
    without = {"targeted": table[table["model"] != "gemma-3-270m"]}
    for claim in CLAIMS:
        effect, verdict = claim.decide(without)
        assert (effect is None) == claim.id.endswith("gemma")
        assert verdict == "undecided" or effect is not None
    assert all(claim.decide({}) == (None, "undecided") for claim in CLAIMS)


def test_claims_are_sentences_with_their_numbers():
    assert len(BY_ID) == len(CLAIMS) >= 4
    for claim in CLAIMS:
        said = claim.statement.format(value=0.10, low=0.05, high=0.20)
        assert said.endswith(".") and "0.10 [0.05, 0.20]" in said
        assert claim.chapter == "error_analysis" and claim.tables == ("targeted",)
