"""A small CLDF data set on disk."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pycldf import StructureDataset, Wordlist

TERMS = "http://cldf.clld.org/v1.0/terms.rdf#"


def write_data_set(folder: Path, rows: Sequence[tuple[str, ...]], own: bool = False) -> Path:
    """The metadata of a data set with rows of concept, English word, French word.

    - `own`: a data set of another kind, whose tables and columns have names of their own.
    """
    words = [
        (f"{concept}-{code}", code, concept, word)
        for concept, *pair in rows
        for code, word in zip(("e", "f"), pair, strict=True)
    ]
    columns = ("ID", "Language_ID", "Parameter_ID", "Form")
    languages = [
        {"ID": "e", "Name": "English", "ISO639P3code": "eng", "Glottocode": "stan1293"},
        {"ID": "f", "Name": "French", "ISO639P3code": None, "Glottocode": "stan1290"},
    ]
    concepts = [{"ID": row[0], "Name": row[0]} for row in rows]
    if not own:
        data = Wordlist.in_dir(folder)
        data.add_component("LanguageTable")
        data.add_component("ParameterTable")
        data.write(
            FormTable=[dict(zip(columns, row, strict=True)) for row in words],
            LanguageTable=languages,
            ParameterTable=concepts,
        )
        return folder / "Wordlist-metadata.json"
    data = StructureDataset.in_dir(folder)
    names = ("Key", "Doculect", "Meaning", "Spelling")
    terms = ("id", "languageReference", "parameterReference", "form")
    data.add_table("lexemes.csv", *_columns(zip(names, terms, strict=True)))
    data.add_table(
        "doculects.csv",
        *_columns([("Key", "id"), ("Iso", "iso639P3code"), ("Glotto", "glottocode")]),
    )
    data.add_foreign_key("lexemes.csv", "Doculect", "doculects.csv", "Key")
    keys = {"ID": "Key", "ISO639P3code": "Iso", "Glottocode": "Glotto"}
    tables = {
        "lexemes.csv": [dict(zip(names, row, strict=True)) for row in words],
        "doculects.csv": [{new: row[old] for old, new in keys.items()} for row in languages],
    }
    data.write(ValueTable=[], **tables)
    return folder / "StructureDataset-metadata.json"


def _columns(named: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "propertyUrl": TERMS + term} for name, term in named]
