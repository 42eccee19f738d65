"""How far a lexicon agrees with a reference lexicon, cell by cell.

A cell is a gloss (an English word that both have) in a language that both have. It agrees where the
two share an accepted word, compared in normal form. Disagreement is to be looked at, not
copied: the reference errs too, and translates other senses of a gloss.
"""

from typing import NamedTuple

import pandas as pd

from meanings.lexicon.forms import normal_form
from meanings.lexicon.lexicon import Lexicon


class Agreement(NamedTuple):
    """Agreement of two lexicons.

    - `table`: columns `language, cells, agreeing, share`, the last row over all languages.
    - `disagreements`: columns `gloss, language, words, reference`.
    """

    table: pd.DataFrame
    disagreements: pd.DataFrame


def agreement(lexicon: Lexicon, reference: Lexicon) -> Agreement:
    """Share of cells with a common accepted word, per language (English, by which glosses are
    matched, is left out).

    Glosses are matched by the English word for prompts. Concepts with the same English word (*bat*,
    the animal and the club) are compared together: the reference does not say which one it means.
    """
    shared = [code for code in lexicon.languages if code in reference.languages and code != "en"]
    ours = _by_gloss(lexicon, shared)
    theirs = _by_gloss(reference, shared)
    rows = [
        (
            gloss,
            code,
            words[code],
            theirs[gloss][code],
            bool(set(words[code]) & set(theirs[gloss][code])),
        )
        for gloss, words in ours.items()
        if gloss in theirs
        for code in shared
    ]
    cells = pd.DataFrame(rows, columns=["gloss", "language", "words", "reference", "agrees"])
    groups = [(code, cells[cells["language"] == code]) for code in shared] + [("all", cells)]
    table = pd.DataFrame(
        [
            (code, len(group), int(group["agrees"].sum()), group["agrees"].mean())
            for code, group in groups
        ],
        columns=["language", "cells", "agreeing", "share"],
    )
    differ = cells[~cells["agrees"].astype(bool)].drop(columns="agrees").reset_index(drop=True)
    for column in ("words", "reference"):
        differ[column] = ["|".join(words) for words in differ[column]]
    return Agreement(table, differ)


def _by_gloss(lexicon: Lexicon, languages: list[str]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for concept in lexicon.concepts:
        words = found.setdefault(
            normal_form(lexicon.word(concept, "en")), {code: [] for code in languages}
        )
        for code in languages:
            words[code] += map(normal_form, lexicon.words(concept, code))
    return found


def before_and_after(
    names: Lexicon, corrected: Lexicon, reference: Lexicon
) -> tuple[pd.DataFrame, Agreement]:
    """Agreement of CLDR's names alone, of the same concepts as corrected, and of all concepts; and
    the last one in full.

    Columns `language`; `cells` and `share` for the concepts that have a name everywhere;
    `share_corrected` for the same; `cells_all`, `share_all` for all.
    """
    same = agreement(corrected.restrict(concepts=names.concepts), reference).table
    before, after = agreement(names, reference).table, agreement(corrected, reference)
    table = before.drop(columns="agreeing").merge(
        same[["language", "share"]], on="language", suffixes=("", "_corrected")
    )
    return table.merge(
        after.table[["language", "cells", "share"]], on="language", suffixes=("", "_all")
    ), after


def traps(lexicon: Lexicon) -> dict[str, int]:
    """Counts of concepts, languages, shared forms, homograph pairs (each pair of languages and form
    once) and polysemous words.
    """
    homographs = lexicon.homographs().drop_duplicates(["language_a", "language_b", "form"])
    return {
        "concepts": len(lexicon),
        "languages": len(lexicon.languages),
        "shared_forms": len(lexicon.shared_forms()),
        "homograph_pairs": len(homographs),
        "homograph_forms": homographs["form"].nunique(),
        "polysemous_words": len(lexicon.polysemous()),
    }
