"""What is known of each language beside its results: share of the training text, script, family,
tokens per word, shared words.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from meanings.core.paths import data_folder
from meanings.lexicon.forms import normal_form
from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import Lexicon
from meanings.models.trajectories import Trajectory
from meanings.statistics.bootstrap import interval
from meanings.statistics.onset import onset
from meanings.statistics.resampling import RESAMPLES

# Properties of a language that have an order.
RANKED = ("share", "tokens", "shared", "ceiling")
# Inputs from which every output language is compared: the model reads them well.
INPUTS = ("en", "fr", "de", "es")
SCRIPTS = {
    "Latn": "Latin",
    "Cyrl": "Cyrillic",
    "Hans": "Han, simplified",
    "Hant": "Han, traditional",
    "Hebr": "Hebrew",
    "Arab": "Arabic",
}


def properties(run: Trajectory, lexicon: Lexicon, table: pd.DataFrame) -> pd.DataFrame:
    """Properties of the languages in the table's pairs, most training text first.

    Columns `language`, `name`, `tier`, `share` (of the training text, 0 to 1; NaN where the model
    does not say), `script`, `family`, `tokens` (mean number of tokens of the words written into
    prompts; NaN without a tokenizer) and `shared` (share of concepts with a form that another seen
    language uses for the same concept).
    """
    codes = sorted({code for pair in table["pair"].unique() for code in str(pair).split("-")})
    weights = {code: float(known.get("share", np.nan)) for code, known in run.languages.items()}
    whole = sum(share for share in weights.values() if share == share) or 1.0
    seen = set(run.seen or lexicon.languages)
    forms = lexicon.shared_forms()
    rows = [
        {
            "language": code,
            "name": LANGUAGES[code].name,
            "tier": run.languages.get(code, {}).get("tier", "unknown"),
            "share": weights.get(code, np.nan) / whole,
            "script": SCRIPTS.get(LANGUAGES[code].script, LANGUAGES[code].script),
            "family": LANGUAGES[code].family,
            "tokens": tokens_per_word(run, lexicon, code),
            "shared": _shared_forms(forms, code, seen) / len(lexicon),
        }
        for code in codes
    ]
    return (
        pd.DataFrame(rows)
        .sort_values("share", ascending=False, kind="stable")
        .reset_index(drop=True)
    )


def text_shares(run: Trajectory) -> pd.DataFrame:
    """How much of the training text is in each language, counted in the text itself: `language`,
    `words`, `tokens`, `word_share`, `token_share`.

    Without rows where the text is not known: it is the miniature's only.
    """
    path = data_folder() / "miniature" / "text_shares.csv"
    if run.model == "miniature" and path.is_file():
        return pd.read_csv(path)
    return pd.DataFrame(columns=["language", "words", "tokens", "word_share", "token_share"])


def from_same_inputs(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows read from `INPUTS`, so that outputs are compared from the same languages; all rows
    where none is.
    """
    found = rows[rows["input"].isin(INPUTS)]
    return found if len(found) else rows


def words_in_common(
    run: Trajectory, lexicon: Lexicon, code: str, letters: int = 3
) -> frozenset[str]:
    """Concepts of which an accepted word in `code` begins as a word of another seen language does:
    with the same first letters, or the same first token.
    """
    others = sorted(set(run.seen or lexicon.languages) & set(lexicon.languages) - {code})
    first = _first_tokens(run)
    found = set()
    for concept in lexicon.concepts:
        own, foreign = set(), set()
        for place, codes in ((own, [code]), (foreign, others)):
            for word in (w for c in codes for w in lexicon.words(concept, c)):
                place |= {normal_form(word)[:letters], *first(word)}
        if own & foreign:
            found.add(concept)
    return frozenset(found)


def _first_tokens(run: Trajectory):
    """A function from a word to its first token after an open quote, and after a space; of nothing
    where there is no tokenizer.
    """
    tokenizer = _tokenizer(run)
    if tokenizer is None:
        return lambda word: ()
    quote = len(tokenizer.encode('"', add_special_tokens=False).ids)

    def first(word: str) -> tuple[int, ...]:
        texts = ('"' + word, '" ' + word)
        ids = [tokenizer.encode(text, add_special_tokens=False).ids[quote:] for text in texts]
        return tuple(each[0] for each in ids if each)

    return first


def _tokenizer(run: Trajectory):
    """The run's own tokenizer; None where it has none here."""
    file = Path(run.last.tokenizer or run.last.path or ".") / "tokenizer.json"
    if not file.is_file():
        return None
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file))


def _shared_forms(forms: pd.DataFrame, code: str, seen: set[str]) -> int:
    """Concepts for which `code` and another seen language have a form in common."""
    one, other = forms["language_a"], forms["language_b"]
    partner = np.where(one == code, other, np.where(other == code, one, ""))
    return int(forms[np.isin(partner, sorted(seen - {code}))]["concept"].nunique())


def tokens_per_word(run: Trajectory, lexicon: Lexicon, code: str) -> float:
    """Mean number of tokens of the words written into prompts, after an open quote."""
    tokenizer = _tokenizer(run)
    if tokenizer is None:
        return float("nan")
    quote = len(tokenizer.encode('"', add_special_tokens=False).ids)
    words = ['"' + lexicon.word(concept, code) for concept in lexicon.concepts]
    return float(
        np.mean(
            [len(e.ids) - quote for e in tokenizer.encode_batch(words, add_special_tokens=False)]
        )
    )


def ceilings(chosen: pd.DataFrame) -> pd.DataFrame:
    """P(source) of unpatched source prompts by output language: columns `language`, `ceiling`."""
    table = interval(chosen[chosen["condition"] == "src_unpatched"], "p_source", ["output"], n=10)
    return table.rename(columns={"output": "language", "mean": "ceiling"})[["language", "ceiling"]]


def spread(table: pd.DataFrame, count: int) -> list[str]:
    """At most `count` languages, spread evenly from the most to the least training text, so that
    curves can be told apart.
    """
    codes = list(table.sort_values("share", ascending=False)["language"])
    if len(codes) <= count:
        return codes
    return [codes[round(i * (len(codes) - 1) / (count - 1))] for i in range(count)]


def alignment(patched: pd.DataFrame) -> pd.DataFrame:
    """Mean P(source) by output language with its interval: `language`, `mean`, `low`, `high`."""
    return interval(patched, "p_source", ["output"], n=RESAMPLES).rename(
        columns={"output": "language"}
    )


def onsets(over: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Onset of P(source) by output language, in training tokens: `language`, `onset`, `low`,
    `high`, `plateau`.
    """
    table = onset(over, "p_source", ["output"], step="tokens", n=300).rename(
        columns={"output": "language"}
    )
    table = table.rename(columns={"final": "plateau"})[
        ["language", "onset", "low", "high", "plateau"]
    ]
    return (
        table.set_index("language")
        .loc[[code for code in order if code in set(table["language"])]]
        .reset_index()
    )
