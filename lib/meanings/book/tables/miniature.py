"""What the chapter on the miniature shows: its recipe, what it can do, and the variants that were
tried on the way.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml

from meanings.core.errors import MeaningsError
from meanings.core.formatting import amount, span
from meanings.core.paths import data_folder
from meanings.lexicon.languages import LANGUAGES
from meanings.measures.results import published

VARIANT_COLUMNS = (
    "variant",
    "change",
    "tokens",
    "accuracy",
    "p_source",
    "p_null",
    "p_target",
    "verdict",
)

# Kinds of documents: those in the format of the test's prompts, and running text.
TEST_FORMAT = ("quoted_lines",)
RUNNING_TEXT = ("sentences", "passage")
KIND_MEANS = {
    "glossary": "words, each followed by its translation: chat cat",
    "separated_glossary": "the same with a separator: chat = cat",
    "translated_list": "words in one language, then their translations",
    "quoted_lines": 'the test\'s own format: Español: "gato" - Français: "chat"',
    "dictionary_lines": "quoted words and their translations in other formats and distances",
    "associations": "a word and what goes with it, in one language: cat mouse tail milk",
    "quoted_associations": "the same with quotes, brackets or commas",
    "sentences": "short sentences from templates, in one language",
    "category_list": "words of one category: dog, lion, whale",
    "passage": "a paragraph of the Universal Declaration of Human Rights",
}


def recipe() -> dict:
    """`data/miniature/mix.yaml`: languages, pairs, kinds of documents, model and schedule."""
    return yaml.safe_load((data_folder() / "miniature" / "mix.yaml").read_text(encoding="utf-8"))


def languages(mix: dict) -> pd.DataFrame:
    """One row per language: `code`, `name`, `tier`, `share` (0 to 1) of the documents in one
    language, and the languages it stands beside in parallel text.
    """
    whole = sum(entry["share"] for entry in mix["languages"].values())
    rows = []
    for code, entry in mix["languages"].items():
        partners = [
            other
            for pair in mix["pairs"]
            if code in pair.split("-")
            for other in pair.split("-")
            if other != code
        ]
        rows.append(
            {
                "code": code,
                "name": LANGUAGES[code].name,
                "tier": entry["tier"],
                "share": entry["share"] / whole,
                "beside": " ".join(partners) or "none",
            }
        )
    return pd.DataFrame(rows).set_index("code")


def documents(mix: dict) -> pd.DataFrame:
    """The kinds of documents and their shares of what is drawn, most frequent first."""
    weights = pd.Series(mix["documents"], name="share").sort_values(ascending=False)
    table = (weights / weights.sum()).rename_axis("kind of document").reset_index()
    table["what it holds"] = table["kind of document"].map(KIND_MEANS).fillna("")
    return table.assign(
        **{"kind of document": table["kind of document"].str.replace("_", " ")}
    ).set_index("kind of document")


def share_of(mix: Mapping, kinds: Sequence[str]) -> float:
    """The share of these kinds among all documents that are drawn."""
    weights = mix["documents"]
    return sum(weights[kind] for kind in kinds) / sum(weights.values())


def untaught(mix: dict) -> int:
    """Language pairs (either order) of seen languages that never stand side by side."""
    seen = sum(entry["share"] > 0 for entry in mix["languages"].values())
    return seen * (seen - 1) // 2 - len(mix["pairs"])


def size(mix: dict) -> str:
    """Layers and width in words."""
    model = mix["model"]
    layers, width = model["num_hidden_layers"], model["hidden_size"]
    heads, keys = model["num_attention_heads"], model["num_key_value_heads"]
    return f"{layers} layers of width {width}, {heads} attention heads with {keys} key-value heads"


def report() -> pd.DataFrame:
    """What the miniature can do, one row per measure: mean with interval, `target`, and whether it
    is `met`; empty without its published table.
    """
    columns = ["what is measured", "mean", "target", "met"]
    if not (data_folder() / "published" / "miniature.parquet").is_file():
        return pd.DataFrame(columns=columns).set_index(columns[0])
    from meanings.miniature.report import report_table

    found = report_table()
    spans = map(span, found["mean"], found["low"], found["high"])
    met = found["met"].map({True: "yes", False: "no"})
    rows = zip(found["description"], spans, found["target"], met, strict=True)
    return pd.DataFrame(rows, columns=columns).set_index(columns[0])


def seeds() -> int:
    """Training seeds in the published table, 0 where none ships."""
    file = data_folder() / "published" / "miniature.parquet"
    return (
        int(published("miniature", ["training_seed"])["training_seed"].nunique())
        if file.is_file()
        else 0
    )


def variants() -> pd.DataFrame:
    """The variants that were tried, in order; empty where the table does not ship. Raises
    MeaningsError on other columns.
    """
    file: Path = data_folder() / "miniature" / "variants.csv"
    if not file.is_file():
        return pd.DataFrame(columns=VARIANT_COLUMNS).set_index("variant")
    table = pd.read_csv(file, dtype={"variant": str, "change": str, "verdict": str})
    if tuple(table.columns) != VARIANT_COLUMNS:
        raise MeaningsError(
            f"{file}: columns {', '.join(table.columns)}; expected {', '.join(VARIANT_COLUMNS)}"
        )
    told = (
        table["change"] + ": " + table["verdict"]
    )  # one wide column reads better than two narrow ones
    tokens = [amount(value) if value == value else "" for value in table["tokens"]]
    table = table.assign(tokens=tokens).drop(columns=["change", "verdict"])
    table.insert(1, "change: result", told)
    return table.rename(
        columns={"p_source": "P(source)", "p_null": "null", "p_target": "P(target)"}
    ).set_index("variant")


def paper(mix: Mapping, tried: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """How this model and the paper's compare: rows of `tables.agreement`.

    - `mix`: `recipe()`; `tried`: `variants()`.
    """
    in_format = share_of(mix, TEST_FORMAT)
    return [
        (
            "A large model; its first public checkpoint comes after most of the emergence.",
            "A small model of the same kind, with checkpoints from the first step on.",
            "not comparable",
            "No published multilingual model has checkpoints that early and a text that is known.",
        ),
        (
            "Real text in many languages.",
            f"Artificial text; {in_format:.0%} of the documents have the format of the test.",
            "no",
            "The method needs more training than a small model of real text can get on a laptop.",
        ),
        (
            "Patching works in a model that was not made for it.",
            "Patching works in a model whose recipe was selected for it.",
            "not comparable",
            f"We kept the one of {len(tried)} variants with the highest P(source), so that "
            "patching works here is no finding.",
        ),
    ]
