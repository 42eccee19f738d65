"""How alike the states of words of two languages are, by what the two words have in common.

friend        written alike, one meaning
false friend  written alike, another meaning
translation   one meaning, not a sign in common
unrelated     neither

A model sees a shared word as one token sequence, so its states are the same whatever it means in
each language: the cosine of friends measures the spelling. Whether a word lies near its translation
is said by the other two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures.base import Shared
from meanings.measures.retrieval import unit_rows
from meanings.measures.word_states import word_states
from meanings.miniature.run_folder import HALVES, SIGNS
from meanings.models.checkpoints import trajectory

Places = list[tuple[int, int]]  # of a word of the first and a word of the second language


def cosine_rows(home: Path, step: int) -> Iterator[dict[str, Any]]:
    """Rows of a checkpoint of a run of clones: one for each layer, pair of languages, variant and
    bin that has words.

    Variants `raw` (cosines of last-token states) and `centred` (each language's mean taken off
    first); `value` is the mean cosine, -1 to 1, and `n` the pairs of words behind it.
    """
    lexicon = load_lexicon(str(home / SIGNS))
    aside = load_lexicon(str(home / HALVES["untouched"])).concepts
    states = word_states(trajectory(home).at(step).load(device="cpu"), lexicon, Shared())
    codes = lexicon.languages
    bins = {
        (a, b): bins_of(lexicon, a, b, aside) for i, a in enumerate(codes) for b in codes[i + 1 :]
    }
    for layer in range(states.depth):
        for variant in ("raw", "centred"):
            rows = {
                code: unit_rows(each[layer], variant == "centred")
                for code, each in states.hidden.items()
            }
            for (a, b), named in bins.items():
                cosines = rows[a] @ rows[b].T
                for name, places in named.items():
                    yield {
                        "bin": name,
                        "variant": variant,
                        "layer": layer,
                        "language_a": a,
                        "language_b": b,
                        "value": float(np.mean([cosines[place] for place in places])),
                        "n": len(places),
                    }


def bins_of(lexicon: Lexicon, a: str, b: str, untouched: tuple[str, ...]) -> dict[str, Places]:
    """The places of pairs of words in the lexicon's concepts, by bin; bins without words are left
    out.

    - `untouched`: the concepts of which translations and unrelated words are taken.
    """
    concepts = lexicon.concepts
    of_word = {lexicon.word(concept, a): place for place, concept in enumerate(concepts)}
    found: dict[str, Places] = {
        name: [] for name in ("friend", "false friend", "translation", "unrelated")
    }
    aside = [place for place, concept in enumerate(concepts) if concept in set(untouched)]
    for place, concept in enumerate(concepts):
        twin = of_word.get(lexicon.word(concept, b))
        if twin is not None:
            found["friend" if twin == place else "false friend"].append((twin, place))
        elif place in set(aside):
            found["translation"].append((place, place))
    found["unrelated"] = [(one, other) for one in aside for other in aside if one != other]
    return {name: places for name, places in found.items() if places}
