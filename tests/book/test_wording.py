"""Words that several pages share: what a figure rests on, and numbers that round to zero."""

import numpy as np
import pandas as pd
import pytest

from meanings.book import pages
from meanings.book.facts import language_dependence, real_model, trust, wording
from meanings.book.figures import gains
from meanings.book.figures.style import hundredths
from meanings.book.tables import html
from meanings.book.tables import miniature as miniature_tables
from meanings.book.tables import real_model as real_tables
from meanings.core.formatting import span, unsigned_zeros
from meanings.labels.label import LABELS, in_words
from meanings.statistics import sensitivity
from meanings.statistics.effects import Effect
from meanings.validity.claims.catalogue import stated
from meanings.validity.claims.claim import Claim


def cells(seeds: int) -> pd.DataFrame:
    places = [(s, p, c) for s in range(seeds) for p in ("a-b", "c-d") for c in ("cat", "dog", "ox")]
    return pd.DataFrame(places, columns=["training_seed", "pair", "source_concept"])


def test_a_caption_counts_and_names_what_is_resampled():
    said = wording.based_on(cells(1))
    assert said == (
        "3 concepts, 2 language pairs, 1 training seed; 95 % intervals resample concepts"
    )
    assert wording.based_on(cells(3)).endswith(
        "3 training seeds; 95 % intervals resample concepts and training seeds"
    )
    ratios = pd.DataFrame({"n_units": [64, 60], "n_seeds": [1, 1]})
    assert wording.of_ratios(ratios).startswith("64 concepts, 1 training seed; 95 %")


def test_a_caption_of_targeted_words_counts_query_words_and_no_controls():
    rows = pd.DataFrame(
        {
            "role": ["query", "query", "control"],
            "query_word": ["Gift", "coin", "pain"],
            "pair": ["de-en", "fr-en", "fr-en"],
            "training_seed": [0, 1, 0],
        }
    )
    said = wording.targeted_based_on({"small": rows})
    assert said.startswith("small: 2 query words, 2 language pairs, 2 training seeds; ")
    assert said.endswith("resample query words and training seeds")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("holds", "It is so."),
        ("refuted", "Refuted: “It is so.”"),
        ("undecided", "Not decided: “It is so.”"),
    ],
)
def test_a_claim_that_does_not_hold_is_quoted_after_its_verdict(verdict, said):
    assert wording.by_verdict("It is so.", verdict) == said


def test_a_number_that_rounds_to_zero_has_no_sign():
    assert span(-0.001, -0.004, 0.2) == "0.00 [0.00, 0.20]"
    table = pd.DataFrame({"x": [-0.0, -0.5], "words": ["-0.00 of it", "-0.00"]})
    shown = html.to_html(table)
    assert ">0.0<" in shown and ">-0.5<" in shown and ">-0.00 of it<" in shown
    assert ">-0.00<" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("by -0.00 [-0.00, 0.10]", "by 0.00 [0.00, 0.10]"),
        ("it is -0.00.", "it is 0.00."),
        ("-0.0 and -0", "0.0 and 0"),
        ("-0.001, -0.50, seed-0, 1-0", "-0.001, -0.50, seed-0, 1-0"),
    ],
)
def test_a_text_s_zeros_have_no_sign(text, shown):
    assert unsigned_zeros(text) == shown


def test_a_claim_says_zero_without_a_sign():
    said = dict(id="a", chapter="b", unit="c", side="above", smallest_effect=0.1, refuted_by="d")
    claim = Claim(statement="It is {value:.2f}.", tables=(), effect=lambda _: None, **said)
    assert stated(claim, Effect(-0.001, -0.01, 0.01, 5, 2, 1)) == "It is 0.00."


def test_what_a_page_says_has_no_signed_zero(monkeypatch):
    glued = {}
    monkeypatch.setattr("myst_nb.glue", lambda name, text, display: glued.update({name: text}))
    pages.say(a="-0.00", b=-0.001)
    assert glued == {"a": "0.00", "b": "-0.001"}


def test_a_caption_of_gains_counts_model_by_model():
    changes = {"seen": cells(1), "Gemma: seen": cells(1).replace("a-b", "e-f").head(3)}
    assert wording.of_gains(changes) == (
        "measured for this page: 3 concepts, 2 language pairs, 1 training seed; "
        "Gemma (published): 3 concepts, 1 language pair, 1 training seed"
    )


def test_an_interval_in_a_table_stays_on_one_line():
    shown = html.to_html(pd.DataFrame({"x": ["0.35 [0.29, 0.42]", "a, b", "1M [-68k, 3.2M]"]}))
    assert "0.35 [0.29,\N{NO-BREAK SPACE}0.42]" in shown and "a, b" in shown
    assert "[-68k,\N{NO-BREAK SPACE}3.2M]" in shown


def test_cells_of_a_heatmap_are_short():
    assert [hundredths(p) for p in (0.0, 0.126, 0.9949, 0.996, np.nan, -0.034, -0.001, -0.998)] == [
        ".00", ".13", ".99", "1.0", "", "-.03", ".00", "-1.0",
    ]  # fmt: skip


def test_an_answer_of_no_word_list_is_not_called_no_word():
    assert in_words("not_a_word") == "in no word list" and in_words("other_form") == "other form"
    assert "not_a_word" in LABELS


def test_orders_that_some_lines_reverse_are_named():
    found = pd.DataFrame(
        [
            ("seen - en_en", "quoted", "below"),
            ("seen - en_en", "no_quotes", "above"),
            ("seen - src_unpatched", "quoted", "below"),
            ("seen - src_unpatched", "no_quotes", "above"),
            ("seen - tgt", "quoted", "open"),
            ("seen - tgt", "no_quotes", "above"),
        ],
        columns=["what", "template", "verdict"],
    )
    reversed_ = sensitivity.reversals(found, "template")
    assert reversed_ == {"en_en": ["no_quotes"], "src_unpatched": ["no_quotes"]}
    said = trust._reversed(reversed_)
    assert said.startswith("Lines without quotes reverse") and "en_en and asked directly" in said
    assert "reverse no order" in trust._reversed({})


def test_reading_over_training_says_from_when_on_languages_are_told_apart():
    curves = {"en": (0.1, 0.5, 0.9), "fi": (0.1, 0.45, 0.2)}
    table = pd.DataFrame(
        [
            (code, tokens, mean, mean - 0.1, mean + 0.1)
            for code, means in curves.items()
            for tokens, mean in zip((1e6, 2e6, 3e6), means, strict=True)
        ],
        columns=["language", "tokens", "mean", "low", "high"],
    )
    said = language_dependence.growth(table)["ld_growth"]
    assert said.startswith("From 3M training tokens on, English is read better than Finnish")
    early = table[table["tokens"] < 3e6]
    assert "overlap" in language_dependence.growth(early)["ld_growth"]


def means(pairs: dict[str, tuple[float, float, float]]) -> pd.DataFrame:
    """Published means of `seen`, `tgt` and the null by pair, and over all pairs."""
    every = {"all": tuple(np.mean(list(pairs.values()), axis=0))} | pairs
    rows = [
        (pair, what, 0, value)
        for pair, values in every.items()
        for what, value in zip(("seen", "tgt", "null_concept"), values, strict=True)
    ]
    rows.append(("all", "src_unpatched", -1, 0.4))
    return pd.DataFrame(rows, columns=["pair", "what", "first_layer", "mean"])


def test_a_mean_over_pairs_is_taken_apart():
    table = means(
        {"de-en": (0.3, 0.2, 0.0), "fr-pl": (0.02, 0.04, 0.01), "en-fi": (0.01, 0.01, 0.0)}
    )
    assert real_tables.carried(table) == (1, 3)
    said = real_model.unequal_pairs(table, table)
    assert said["rm_carried"] == said["rm_s_carried"] == "1 of 3"
    assert said["rm_own_most"] == "+0.10 in de-en" and said["rm_own_least"] == "-0.02 in fr-pl"


def test_every_kind_of_document_is_explained():
    table = miniature_tables.documents(miniature_tables.recipe())
    assert (table["what it holds"] != "").all()
    rows = miniature_tables.paper(miniature_tables.recipe(), miniature_tables.variants())
    assert all(len(row) == 4 for row in rows) and "13 variants" in rows[-1][-1]


def test_a_null_that_is_named_with_its_n_does_not_widen_the_axis():
    rows = [
        (group, change, "all", value, value, value)
        for group, gain, loss, net in (
            ("seen (n = 64)", 0.06, 0.09, -0.03),
            ("null_concept (n = 64)", 0.0, 0.8, -0.8),
            ("Gemma: null_concept (n = 64)", 0.0, 0.3, -0.3),
        )
        for change, value in (("gain", gain), ("loss", loss), ("net", net))
    ]
    columns = ["group", "change", "kind", "mean", "low", "high"]
    table = pd.DataFrame(rows, columns=columns)
    picture = gains.gains_and_losses(table, list(dict.fromkeys(table["group"])))
    assert picture.figure.axes[0].get_xlim()[1] < 0.2
