"""The data card of an export: YAML front matter as the hub reads it, then what rows and columns
are, their units, and where they come from.
"""

from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from meanings.lexicon.languages import LANGUAGES
from meanings.study.column_descriptions import description, kind_of
from meanings.study.table_kinds import CELLS, CONCEPT_MEANS

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
PROVENANCE = (
    "model",
    "training_seed",
    "step",
    "weights_sha256",
    "lexicon",
    "lexicon_sha256",
    "dtype",
    "method",
)
PATCHED = {
    "from": "the outputs of layer `first_layer` and of all later layers are replaced",
    "only": "the output of layer `first_layer` alone is replaced",
}
UNLICENSED = (
    "**Licence:** not chosen yet. Set `license` above before you pass this on; the embedded "
    "lexicon's words are Unicode CLDR's (Unicode License)."
)
GUARDED = (
    "A text that begins with `=`, `+`, `-`, `@` (full-width too), a tab, a line break or an "
    "apostrophe has an apostrophe before it, so that no spreadsheet runs it; take one leading "
    "apostrophe off to have the text back."
)
READ_CSV = """Only empty cells are missing values. `null`, `NA` and `nan` are words, which readers
of CSV take for missing unless they are told. With pandas:

```python
import pandas as pd

rows = pd.read_csv("results.csv", keep_default_na=False, na_values=[""])
```

With R: `read.csv("results.csv", na.strings = "")`."""


def card(rows: pa.Table, versions: list[dict], layout: str, licence: str, whose: str) -> str:
    """The card's text, Markdown with YAML front matter.

    - `versions`: provenance that the rows do not have as columns, by name.
    - `layout`: `datasets` (Parquet files) or `csv`; `licence`: empty where none is chosen.
    - `whose`: whose results these are, in words.
    """
    from huggingface_hub import DatasetCard

    codes = _languages(rows)
    kind = kind_of(rows.column_names)
    names = ", ".join(f"{LANGUAGES[code].name} ({code})" for code in codes if code in LANGUAGES)
    cells = (
        f", {pc.count_distinct(rows['key']).as_py()} cells" if "key" in rows.column_names else ""
    )
    parts = [
        "# Concept patching results",
        f"{len(rows)} rows of {whose} results{cells}{f', in {names}' if names else ''}.",
        f"{_method(rows)} {kind.row}" if kind in (CELLS, CONCEPT_MEANS) else kind.row,
        *([] if licence else [UNLICENSED]),
        "## Columns",
        _markdown_table(
            ("Column", "Type", "What it is"),
            [
                (f"`{f.name}`", _dtype(f.type), _escaped(description(f.name, kind)))
                for f in rows.schema
            ],
        ),
        *_provenance(rows, versions),
        *(["## Reading", READ_CSV, GUARDED] if layout == "csv" else []),
    ]
    front = _front_matter(rows, codes, layout, licence).to_yaml()
    return str(DatasetCard(f"---\n{front}\n---\n\n" + "\n\n".join(parts) + "\n"))


def _front_matter(rows: pa.Table, codes: list[str], layout: str, licence: str):
    from huggingface_hub import DatasetCardData

    more = {}
    if layout == "datasets":
        files = {"split": "train", "path": "data/*.parquet"}
        more = {
            "configs": [{"config_name": "default", "data_files": [files]}],
            "dataset_info": {
                "features": [{"name": f.name, "dtype": _dtype(f.type)} for f in rows.schema],
                "splits": [{"name": "train", "num_examples": len(rows), "num_bytes": rows.nbytes}],
            },
        }
    size = next((name for limit, name in SIZES if len(rows) < limit), "100M<n<1B")
    return DatasetCardData(
        pretty_name="When Meanings Meet: concept patching",
        language=codes or None,
        license=licence or None,
        size_categories=[size],
        tags=["interpretability", "activation-patching", "multilingual"],
        **more,
    )


def _method(rows: pa.Table) -> str:
    """How a row was measured, by the values of `layers` that there are."""
    layers = _values(rows, "layers") or ["from"]
    patched = "; ".join(
        f"{PATCHED[value]} (`layers`: {value})" if len(layers) > 1 else PATCHED[value]
        for value in layers
    )
    return (
        "Few-shot word-translation prompts are run through a language model; at the query word's "
        f"last token {patched}. A concept vector, taken from other prompts as `condition` says, "
        "takes their place."
    )


def _provenance(rows: pa.Table, versions: list[dict]) -> list[str]:
    own = [(name, _values(rows, name)) for name in PROVENANCE if name in rows.column_names]
    names = sorted(set(chain.from_iterable(versions)))
    noted = [
        (name, sorted({str(v[name]) for v in versions if v.get(name) is not None}))
        for name in names
    ]
    lines = [(_escaped(name), _escaped(", ".join(map(str, found)))) for name, found in own + noted]
    return ["## Provenance", _markdown_table(("What", "Values"), lines)] if lines else []


def _languages(rows: pa.Table) -> list[str]:
    """Codes of the languages of the rows, from whichever column names them."""
    for column in ("languages", "pairs", "pair"):
        words = {word for text in _values(rows, column) for word in text.split()}
        if words:
            return sorted({code for word in words for code in word.split("-") if code in LANGUAGES})
    return []


def _values(rows: pa.Table, name: str) -> list:
    if name not in rows.column_names:
        return []
    return sorted(value for value in pc.unique(rows[name]).to_pylist() if value is not None)


def _dtype(kind: pa.DataType) -> str:
    return {"float": "float32", "double": "float64"}.get(str(kind), str(kind))


def _markdown_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
