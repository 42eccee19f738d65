"""The published controls of the patch, and which words of a concept languages have in common.

data/published/controls.parquet      every control by training seed, pair, first layer and concept
data/published/word_overlap.parquet  by concept and language, whether others share its words
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from meanings.core.atomic_files import atomic_file
from meanings.core.paths import data_folder
from meanings.core.status_line import Report, unreported
from meanings.lexicon.forms import normal_form
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.models.trajectories import Trajectory, seen_languages
from meanings.study.grid import DEFAULT_PAIRS

LETTERS = 3  # in a row, that two words must have in common to count as alike
ORDER = ["training_seed", "pair", "condition", "first_layer", "source_concept"]


def publish_controls(run: Trajectory, report: Report = unreported) -> list[Path]:
    """Measure the controls at the last checkpoint of a training run and write both tables; the rows
    of other training seeds stay.
    """
    from meanings.patching.controls import DEFAULT_DRAW, measure_controls

    lexicon, checkpoint = load_lexicon("embedded"), run.last
    seen = seen_languages(run, lexicon)
    report("loading the model", 0, 0)
    model = checkpoint.load()
    pairs = [parse_pair(text) for text in DEFAULT_PAIRS]
    rows = measure_controls(model, lexicon, pairs, seen, report=report).assign(
        model=run.model,
        training_seed=run.training_seed,
        step=checkpoint.step,
        tokens=checkpoint.tokens,
        weights_sha256=model.weights_sha256,
        lexicon_sha256=lexicon.sha256,
        prompt_seed=DEFAULT_DRAW.prompt_seed,
    )
    path = _path("controls")
    rows = beside_others(rows, path, run.training_seed)
    rows = rows.sort_values(ORDER, kind="stable").astype({"first_layer": "int16"})
    overlap = word_overlap(lexicon, model.tokenizer, seen, sorted(set(rows["source_concept"])))
    return [_write(rows, path), _write(overlap, _path("word_overlap"))]


def beside_others(rows: pd.DataFrame, path: Path, seed: int) -> pd.DataFrame:
    """The rows of a training seed below those that a table has of others; alone where there is no
    table.
    """
    if not path.is_file():
        return rows
    there = pd.read_parquet(path)
    return pd.concat([there[there["training_seed"] != seed], rows], ignore_index=True)


def word_overlap(
    lexicon: Lexicon, tokenizer, languages: Sequence[str], concepts: Sequence[str]
) -> pd.DataFrame:
    """Whether a concept's words in one language resemble those in any other of `languages`.

    Columns: `source_concept`, `output`; `shares_token`: an accepted word has a first token in
    common with one of another language; `shares_letters`: three letters in a row, or a whole
    shorter word.
    """
    from meanings.prompts.answers import first_tokens

    rows = []
    for concept in concepts:
        words = {code: lexicon.words(concept, code) for code in languages}
        tokens = {code: first_tokens(tokenizer, accepted) for code, accepted in words.items()}
        runs = {code: letter_runs(accepted) for code, accepted in words.items()}
        for code in languages:
            others = [other for other in languages if other != code]
            rows.append(
                {
                    "source_concept": concept,
                    "output": code,
                    "shares_token": any(tokens[code] & tokens[other] for other in others),
                    "shares_letters": any(runs[code] & runs[other] for other in others),
                }
            )
    return pd.DataFrame(rows)


def letter_runs(words: Sequence[str]) -> set[str]:
    """All runs of three letters of the words in normal form; of a shorter word, itself."""
    forms = [normal_form(word) for word in words]
    return {
        form[start : start + LETTERS]
        for form in forms
        for start in range(max(1, len(form) - LETTERS + 1))
    }


def _path(name: str) -> Path:
    return data_folder() / "published" / f"{name}.parquet"


def _write(rows: pd.DataFrame, path: Path) -> Path:
    floats = [name for name in rows if name.startswith("p_")]
    rows = rows.astype(dict.fromkeys(floats, "float32"))
    table = pa.Table.from_pandas(rows, preserve_index=False)
    coded = [name for name in rows if name not in floats]
    with atomic_file(path) as aside:
        pq.write_table(table, aside, compression="zstd", compression_level=15, use_dictionary=coded)
    return path
