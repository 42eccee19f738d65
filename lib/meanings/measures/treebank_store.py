"""States of a treebank's sentences, kept on disk by the weights' hash: a killed run loses at most
the language that it was reading, and all measures read one copy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from meanings.core.atomic_files import atomic_folder
from meanings.core.hashing import content_hash
from meanings.corpora.conllu import Sentence
from meanings.corpora.parallel import Parallel

if TYPE_CHECKING:
    from meanings.models.context_states import ContextStates

ARRAYS = ("sentences", "words", "units")


def states_of(
    model: Any,
    parallel: Parallel,
    store: Path | None,
    report: Callable[[str, int, int], object] = lambda what, done, of: None,
) -> Mapping[str, ContextStates]:
    """The states of each language's sentences and of all words in them; from `store` where they are
    there, as arrays that are read from disk when they are used.

    - `model`: a `meanings.models.loading.PatchableModel`; `store`: a folder, None to keep them in
      memory. About 1 MB per sentence and language for a model of 18 layers of 640.

    Raises MeaningsError where the disk is full.
    """
    found = {}
    for done, (code, sentences) in enumerate(parallel.sentences.items()):
        report("reading sentences", done, len(parallel.sentences))
        found[code] = _of_language(model, sentences, store)
    return found


def _of_language(model: Any, sentences: tuple[Sentence, ...], store: Path | None) -> ContextStates:
    from meanings.models.context_states import context_states

    texts = [each.text for each in sentences]
    ends = [[word.end for word in each.words] for each in sentences]
    if store is None:
        return context_states(model, texts, ends)
    key = content_hash(model.weights_sha256, str(model.dtype), texts, ends)
    folder = store / key[:32]
    if not folder.is_dir():
        states = context_states(model, texts, ends)
        with atomic_folder(folder, first_wins=True) as aside:
            for name in ARRAYS:
                np.save(aside / f"{name}.npy", getattr(states, name))
            (aside / "pieces.json").write_text(json.dumps(states.pieces), encoding="utf-8")
    return _load(folder)


def _load(folder: Path) -> ContextStates:
    from meanings.models.context_states import ContextStates

    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    pieces = json.loads((folder / "pieces.json").read_text(encoding="utf-8"))
    return ContextStates(**arrays, pieces=tuple(map(tuple, pieces)))
