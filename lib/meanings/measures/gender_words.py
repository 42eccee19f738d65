"""Which words the gender measure reads: those of the lexicon that `data/lexicon/gender.csv` names,
or lists of seeds and occupations by path, beside the lexicon's other words.

    settings:
      gender:
        lists: {folder: data/gender, languages: [en, de, es, fr]}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError, one_of
from meanings.core.hashing import content_hash
from meanings.corpora.gender_lists import GenderedWords, read_gender_lists, sha256_of
from meanings.lexicon.gender import GENDERS, GenderList
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.base import DataSet, Shared
from meanings.measures.companion import Texts
from meanings.measures.word_states import WordStates, check_states

STORE = "gender lists"


class ListSettings(BaseModel):
    """Lists of seeds and occupations in place of the lexicon's."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    folder: str = Field(min_length=1, description="with files as <language>_male_def_occ")
    languages: tuple[str, ...] = Field(min_length=1, description="codes, as the files begin")


class Places(NamedTuple):
    """Where in a language's states which words stand.

    - `occupations`, `seeds`: a row for male and one for female.
    - `others`: all other words; `kinds`: their categories, a number each.
    - `signs`: of the occupations, 1 for female and -1 for male; empty where none is planted.
    """

    occupations: Int[np.ndarray, "2 occupation"]
    seeds: Int[np.ndarray, "2 pair"]
    others: Int[np.ndarray, " other"]
    kinds: Int[np.ndarray, " other"]
    signs: Float[np.ndarray, " occupation"]


def in_lexicon(lexicon: Lexicon, code: str, genders: GenderList) -> Places:
    """Where the lexicon's own gendered words and occupations stand, in one language.

    A pair of which a word stands in an earlier pair is left out, as French has *fille* for both
    daughter and girl; so are other concepts with a word of the list.
    """
    place = {concept: i for i, concept in enumerate(lexicon.concepts)}
    word = {concept: lexicon.word(concept, code).casefold() for concept in lexicon.concepts}
    pairs, known = [], set()
    for pair in genders.pairs:
        if set(pair) <= place.keys() and known.isdisjoint(word[each] for each in pair):
            pairs.append([place[each] for each in pair])
            known.update(word[each] for each in pair)
    named = {each for pair in genders.pairs for each in pair} | set(genders.occupations)
    listed = {word[each] for each in named & place.keys()}
    occupations = [each for each in genders.occupations if each in place]
    rows = [place[each] for each in occupations]
    others = [each for each in lexicon.concepts if word[each] not in listed]
    return Places(
        np.array([rows, rows]),
        np.array(pairs, int).reshape(-1, 2).T,
        np.array([place[each] for each in others]),
        _numbered([lexicon.categories.get(each, "") for each in others]),
        np.array(
            [1.0 if genders.occupations[each] == GENDERS[1] else -1.0 for each in occupations]
        ),
    )


def _numbered(names: Sequence[str]) -> Int[np.ndarray, " name"]:
    return np.unique(np.array(names), return_inverse=True)[1]


@dataclass(frozen=True)
class ListedWords:
    """Words of lists, by language, and the lexicon whose other words they are held against."""

    lists: dict[str, GenderedWords]
    lexicon: Lexicon
    text: None = None  # what the model was trained on is not known
    text_sha256: str = ""
    paired: ClassVar[bool] = False

    @classmethod
    def of(cls, settings: ListSettings, lexicon: Lexicon) -> ListedWords:
        """Read. Raises MeaningsError where files are not as asked, or the lexicon lacks one of the
        languages.
        """
        lacking = [code for code in settings.languages if code not in lexicon.languages]
        if lacking:
            raise MeaningsError(
                f"gender: lists: {lacking[0]!r} is no language of lexicon {lexicon.name!r}; these "
                f"are {one_of(lexicon.languages)}"
            )
        lists = read_gender_lists(Path(settings.folder), settings.languages)
        return cls(lists, lexicon.restrict(languages=settings.languages))

    @property
    def items(self) -> Lexicon:
        """The lexicon, whose words give the null."""
        return self.lexicon

    @cached_property
    def identity(self) -> DataSet:
        """Name, hash of lists and lexicon, and languages."""
        return DataSet(
            f"gender lists, {self.lexicon.name}",
            content_hash(sha256_of(self.lists), self.lexicon.sha256),
            tuple(self.lists),
        )

    def words(self, code: str) -> tuple[str, ...]:
        """All words of a language whose states are read, each once: of the list, then others."""
        found = self.lists[code]
        listed = [word for forms in (*found.occupations.values(), *found.pairs) for word in forms]
        return tuple(
            dict.fromkeys([*listed, *(self.lexicon.word(c, code) for c in self.lexicon.concepts)])
        )

    def places(self, code: str) -> Places:
        """Where a language's words stand among `words`."""
        found, words = self.lists[code], self.words(code)
        place = {word: i for i, word in enumerate(words)}
        own, seeds = (
            np.array([[place[word] for word in forms] for forms in each]).T
            for each in (found.occupations.values(), found.pairs)
        )
        listed = {words[i].casefold() for i in (*own.ravel(), *seeds.ravel())}
        category: dict[str, str] = {}
        for concept in self.lexicon.concepts:
            word = self.lexicon.word(concept, code)
            if word.casefold() not in listed:
                category.setdefault(word, self.lexicon.categories.get(concept, ""))
        return Places(
            own, seeds, np.array([place[word] for word in category]),
            _numbered(list(category.values())), np.zeros(0),
        )  # fmt: skip

    def states(self, model: Any, shared: Shared) -> WordStates:
        """The states of all `words`; a language has its own number of them."""
        from meanings.models.activations import activations

        key = f"{STORE} {self.identity.sha256}"
        if key not in shared.checkpoint:
            shared.report("reading the states of words", 0, 0)
            hidden = {code: activations(model, self.words(code)).hidden for code in self.lists}
            found = WordStates((), hidden, {}, {})
            check_states(model.name, found)
            shared.checkpoint[key] = found
        return shared.checkpoint[key]


Source = Texts | ListedWords
