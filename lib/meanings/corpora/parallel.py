"""A parallel treebank: the same sentences in several languages, one CoNLL-U file each.

Parallel Universal Dependencies (PUD) has 1,000 sentences in 20 languages. Its text and annotation
are CC BY-SA, so they are read from a folder that the user names and do not ship with the study;
every result names the hash of what was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from meanings.core.errors import MeaningsError, one_of
from meanings.core.hashing import content_hash
from meanings.corpora.conllu import Sentence, read_conllu

ENDINGS = (".conllu", ".conllu.gz")


@dataclass(frozen=True)
class Parallel:
    """Sentences by language, in one order.

    - `name`: of the folder; `sentences[language]`: those drawn.
    """

    name: str
    sentences: dict[str, tuple[Sentence, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """Their codes, in the order asked for."""
        return tuple(self.sentences)

    @property
    def names(self) -> tuple[str, ...]:
        """The `sent_id` of each sentence."""
        return tuple(each.name for each in next(iter(self.sentences.values())))


def read_parallel(folder: Path, languages: tuple[str, ...], count: int, seed: int) -> Parallel:
    """`count` sentences, drawn with a seed, of the files `<language>_*.conllu[.gz]` of a folder;
    all of them where `count` is 0.

    Raises MeaningsError where a language has no file or two, two files have other sentences, there
    are fewer than asked for, or a file is no CoNLL-U.
    """
    files = {code: _file(folder, code) for code in languages}
    whole = {
        code: {each.name: each for each in _read(file, file.stat().st_mtime_ns)}
        for code, file in files.items()
    }
    first, *others = languages
    for code in others:
        if odd := sorted(set(whole[first]) ^ set(whole[code])):
            raise MeaningsError(
                f"{files[code]}: its sentences are not those of {files[first].name}: sent_id "
                f"{odd[0]!r} is in one of them only; expected parallel files"
            )
    names = list(whole[first])
    if count > len(names):
        raise MeaningsError(
            f"{folder}: {len(names)} sentences, {count} are asked for; ask for fewer"
        )
    if count:
        places = np.random.default_rng([seed, 20]).permutation(len(names))[:count]
        names = [names[place] for place in sorted(places)]
    return Parallel(
        folder.resolve().name, {code: tuple(whole[code][name] for name in names) for code in whole}
    )


def sha256_of(parallel: Parallel) -> str:
    """Hash of the sentences with their annotation."""
    return content_hash(
        *(
            [code, [[each.name, each.text, [vars(w) for w in each.words]] for each in sentences]]
            for code, sentences in sorted(parallel.sentences.items())
        )
    )


@lru_cache(maxsize=64)
def _read(file: Path, changed: int) -> tuple[Sentence, ...]:
    """A file's sentences, read again when it has `changed`."""
    return read_conllu(file)


def _file(folder: Path, code: str) -> Path:
    if not folder.is_dir():
        raise MeaningsError(f"{str(folder)!r} is not a folder; name one that holds CoNLL-U files")
    files = sorted(file for file in folder.iterdir() if file.name.endswith(ENDINGS))
    own = [file for file in files if file.name.split("_")[0] == code]
    if len(own) != 1:
        there = sorted({file.name.split("_")[0] for file in files})
        raise MeaningsError(
            f"{folder}: {len(own)} files {code}_*.conllu[.gz], expected one; it has files of "
            f"{one_of(there)}"
        )
    return own[0]
