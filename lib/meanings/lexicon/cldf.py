"""Reader of CLDF, the format of cross-linguistic word lists, by the library pycldf.

A data set is a folder of CSV files and a file `*-metadata.json` that says which table and column
is what, whatever their names; a table alone has CLDF's own names.
"""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.tables import Table
from meanings.lexicon.entries import Entries, cleaned, listed, read_words
from meanings.lexicon.language_codes import known_code
from meanings.lexicon.long_tables import entries_of_rows

# What a table of words must have: CLDF's property, and the name of the column that goes by none.
CLDF_TERMS = {"concept": "parameterReference", "language": "languageReference", "word": "form"}
CLDF_COLUMNS = {"concept": "Parameter_ID", "language": "Language_ID", "word": "Form"}


def metadata_of(path: Path) -> Path | None:
    """The metadata of the CLDF data set that a folder is, that a table belongs to, or that a JSON
    file is; None of a table without.

    Raises MeaningsError where a folder, or its folder `cldf`, has not one such file.
    """
    if path.suffix == ".json":
        return path
    if path.is_dir():
        found = [*path.glob("*-metadata.json")] or [*path.glob("cldf/*-metadata.json")]
        if len(found) != 1:
            raise MeaningsError(
                f"{path}: a folder with {len(found)} files '*-metadata.json'; expected one, of a "
                "CLDF data set: name the file, or a word list in CSV"
            )
        return found[0]
    beside = (file for file in path.parent.glob("*-metadata.json") if path.name in _tables(file))
    return next(beside, None)


def _tables(metadata: Path) -> list[object]:
    """Names of the tables that metadata says; none where it is not readable."""
    try:
        return [table["url"] for table in json.loads(metadata.read_text("utf-8"))["tables"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def read_cldf(path: Path) -> Entries:
    """Read a CLDF data set: its folder, its metadata, or a table of words with the columns
    `Parameter_ID`, `Language_ID` and `Form`.

        ID,Parameter_ID,Language_ID,Form
        1,cat,stan1293,cat
        2,cat,fra,chat

    The words are the FormTable's, or those of the first table of whatever name whose columns have
    CLDF's properties `parameterReference`, `languageReference` and `form`; of a table alone, its
    columns'. A language is known by the `ISO639P3code` or the `Glottocode` that the table of
    languages gives it, or by its identifier; others are left out, with a warning. A concept is
    named by the `Name` that the table of parameters gives it, or by its identifier where names
    recur. Words come in the order of the rows, each once.

    Raises MeaningsError as the other readers do, and where pycldf cannot read the data set.
    """
    metadata = metadata_of(path)
    if metadata is None:
        table = read_words(path)
        lower = {column.lower(): column for column in table.header}
        missing = [name for name in CLDF_COLUMNS.values() if name.lower() not in lower]
        if missing:
            raise MeaningsError(
                f"{path}, line 1: no column {listed(missing)}; columns are {listed(table.header)}"
            )
        columns = {what: lower[name.lower()] for what, name in CLDF_COLUMNS.items()}
        return entries_of_rows(table, columns, repeated=True)
    try:
        from pycldf import Dataset
    except ImportError:
        raise MeaningsError(
            f"{metadata}: CLDF is read with the library pycldf, which is not installed; run "
            "'pip install pycldf'"
        ) from None
    try:
        with warnings.catch_warnings():  # of columns that the metadata does not name
            warnings.simplefilter("ignore")
            table, columns = _form_table(metadata, Dataset.from_metadata(metadata))
    except MeaningsError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MeaningsError(
            f"{metadata}: not readable as CLDF ({type(error).__name__}: {str(error)[:200]}); "
            "run 'cldf validate' of pycldf for details"
        ) from None
    return entries_of_rows(table, columns, repeated=True)


def _form_table(metadata: Path, dataset) -> tuple[Table, dict[str, str]]:
    """The rows of the data set's table of words, languages and concepts by the names that its other
    tables give them, and what is in which column.
    """
    elsewhere = [str(table.url) for table in dataset.tables if "://" in str(table.url)]
    if elsewhere:
        raise MeaningsError(
            f"{metadata}: table {elsewhere[0]!r} is on another machine; download it next to this "
            f"file"
        )
    named = dataset.get("FormTable")
    for table in dataset.tables if named is None else [named, *dataset.tables]:
        found = {what: _column(dataset, table, what) for what in CLDF_TERMS}
        if all(found.values()):
            break
    else:
        raise MeaningsError(
            f"{metadata}: no table of words; expected one whose columns have the properties "
            f"{listed(CLDF_TERMS.values())}"
        )
    columns = {what: str(column.name) for what, column in found.items()}
    languages = _languages(dataset, table, columns["language"])
    concepts = _concepts(dataset, table, columns["concept"])
    path = Path(str(table.url.resolve(table.base)))
    rows = []
    for _, line, row in table.iterdicts(with_metadata=True):
        concept, language, words = (_texts(row[column]) for column in columns.values())
        for word in words or [""]:
            named = concepts.get(concept[0], concept[0]) if concept else ""
            code = languages.get(language[0], language[0]) if language else ""
            rows.append(
                (line, dict(zip(columns.values(), map(cleaned, (named, code, word)), strict=True)))
            )
    return Table(path, tuple(columns.values()), rows), columns


def _column(dataset, table, what: str):
    """The column with CLDF's property, or of CLDF's name; None where there is none."""
    found = dataset.get((table, CLDF_TERMS[what]))
    return dataset.get((table, CLDF_COLUMNS[what])) if found is None else found


def _texts(value: object) -> list[str]:
    """A cell's texts: several where the column has a separator."""
    values = value if isinstance(value, list) else [value]
    return [str(text) for text in values if text is not None]


def _languages(dataset, table, column: str) -> dict[str, str]:
    """What is known of the languages by identifier: the first of ISO code and Glottocode that the
    study knows, else the first that there is.
    """
    found = {}
    names = ("iso639P3code", "glottocode")
    for identifier, texts in _described(dataset, table, column, "LanguageTable", names):
        codes = [text for text in (*texts, identifier) if text]
        found[identifier] = next((code for code in codes if known_code(code)), codes[0])
    return found


def _concepts(dataset, table, column: str) -> dict[str, str]:
    """The concepts' names by identifier; none where a name recurs or is missing."""
    rows = _described(dataset, table, column, "ParameterTable", ("name",))
    names = {identifier: name for identifier, (name,) in rows}
    return names if len(set(names.values()) - {""}) == len(names) else {}


def _described(
    dataset, table, column: str, component: str, terms: tuple[str, ...]
) -> Iterator[tuple[str, list[str]]]:
    """Identifier and properties (empty where it has none) of each row of the table that a column
    refers to, by a foreign key or as CLDF's component.
    """
    referred = dataset.get_foreign_key_reference(table, column)
    other, key = referred or (dataset.get(component), None)
    if other is None:
        return
    key = key if key is not None else dataset[other, "id"]
    columns = [dataset.get((other, term)) for term in terms]
    for row in other.iterdicts():
        values = [None if found is None else row.get(found.name) for found in columns]
        yield str(row[key.name]), ["" if value is None else str(value) for value in values]
