"""Tables of the chapter Meaning in context."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from meanings.book.tables.companions import named, span
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.ability_texts import ability_texts
from meanings.measures.homographs import homographs_of
from meanings.statistics import companions
from meanings.statistics.resampling import SEED_COLUMN
from meanings.validity.claims.meaning_in_context import AM2ICO, on_test

SHOWN = (("de", "bank", "en"), ("fr", "avocat", "en"), ("ru", "замок", "en"), ("en", "bat", "fr"))
VARIANTS = {
    "nearer": "ambiguous word in context",
    "other_word": "another word in its place",
    "context_only": "context alone",
    "word_only": "ambiguous word alone",
    "gain": "ambiguous word - another word",
}


def examples(
    lexicon: Lexicon, shown: Sequence[tuple[str, str, str]] = SHOWN, each: int = 1
) -> pd.DataFrame:
    """Contexts of some ambiguous words, with the words of another language for their senses.

    - `shown`: language, form, other language; `each`: contexts of each sense.
    """
    contexts = homographs_of(lexicon, dict(ability_texts(lexicon).associations)).contexts
    found = []
    for a, form, b in shown:
        own = [item for item in contexts[a] if item.form == form]
        own = [item for item in own if {item.sense, item.other} == {own[0].sense, own[0].other}]
        for sense in dict.fromkeys(item.sense for item in own):
            for item in [item for item in own if item.sense == sense][:each]:
                found.append(
                    {
                        "languages": named(a, b),
                        "text": f"{lexicon.word(item.context, a)} {item.word}",
                        "context": item.context,
                        "true": lexicon.word(item.sense, b),
                        "false": lexicon.word(item.other, b),
                        "control": f"{lexicon.word(item.context, a)} "
                        f"{lexicon.word(item.neutral, a)}",
                    }
                )
    return pd.DataFrame(found).set_index("languages")


def by_language(rows: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    """The ambiguous words of each language at the last checkpoint, at the layers chosen for
    `nearer`: means over the languages that they are compared with.
    """
    last = rows[rows["step"] == rows.groupby(SEED_COLUMN)["step"].transform("max")]
    nearer = companions.at_best(last, "nearer", languages)
    columns = {}
    for variant, label in VARIANTS.items():
        chosen = companions.of_variant(last, variant, languages)
        chosen = companions.at_layers_of(chosen, nearer)
        means = companions.over_seeds(chosen, ["language_a"]).set_index("language_a")
        columns[label] = {
            code: span(row) if "low" in means else f"{row['value']:z.2f}"
            for code, row in means.iterrows()
        }
        columns["ambiguous words per pair"] = means["n"].round().astype(int).to_dict()
    table = pd.DataFrame(columns)
    table.index = [named(str(code), "") for code in table.index]
    return table.rename_axis("language")


def real_model(table: pd.DataFrame) -> pd.DataFrame:
    """Gemma on AM2iCo, by language, on test at the layer that is best on dev."""
    found: dict[str, dict[str, str]] = {}
    variants = {
        "AUC": "auc",
        "AUC, word alone": "word_only_auc",
        "AUC, context alone": "context_only_auc",
        "gain over the word": "gain",
        "accuracy": "accuracy",
        "accuracy, word alone": "word_only_accuracy",
    }
    for label, variant in variants.items():
        for _, row in on_test(variant)({AM2ICO: table}).iterrows():
            own = found.setdefault(named(str(row["language_a"]), ""), {"layer": str(row["layer"])})
            own[label] = span(row)
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("language")
