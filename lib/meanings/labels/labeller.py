"""Automatic labels of generated answers: what kind of right or wrong an answer is, with the
evidence.

Rules are tried in the order of `LABELS`, first on exact words, then on other forms of a word. The
first that holds gives the label: an accepted word is right whatever else it is; then comes what the
prompt holds (the other prompt's concept, a few-shot example, the query word); then what the lexicon
and the relations know of the word. The same rules hold for every answer, and each says why.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.labels.forms import other_form
from meanings.lexicon.forms import normal_form
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import Relations

LABELS: dict[str, str] = {
    "correct": "the word that prompts use for the expected concept in the output language",
    "other_form": "an accepted word of the expected concept in another form: inflected, without a "
    "diacritic, spelt a letter differently",
    "synonym": "another accepted word of the expected concept in the output language, or a word of "
    "its WordNet synset",
    "target_concept": "the patch did not take: a word of the target prompt's own concept in the "
    "output language",
    "few_shot": "a word of one of the prompt's few-shot examples said again",
    "copy": "a word of the query concept in the input language: the query word said again",
    "other_sense": "another concept that a word of the expected concept names too, in the same "
    "language",
    "homograph": "another concept that a word of the expected concept names in a different "
    "language",
    "wrong_language": "the expected concept in a language that was not asked for; the evidence "
    "says which",
    "hypernym_hyponym": "a broader or narrower concept than the expected one, in the output "
    "language",
    "other": "none of these, but a known word or a form of one; the evidence names it",
    "not_a_word": "no word of the lexicon or the relations in any language and no form of one, or "
    "nothing at all",
}

# Conditions in which the prompt's own concept is the right answer.
ANSWER_IS_TARGET = ("tgt_tgt", "tgt_unpatched")


@dataclass(frozen=True)
class Label:
    """The label of an answer.

    - `name`: one of `LABELS`; `evidence`: why, in words.
    """

    name: str
    evidence: str


class Labeller:
    """Labels answers by a lexicon, looked up by form, and the relations of its concepts.

    A concept's category counts as broader where it is a concept itself.
    """

    def __init__(self, lexicon: Lexicon, relations: Relations) -> None:
        self._lexicon, self._relations = lexicon, relations
        self._senses: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._words: dict[tuple[str, str], list[str]] = {}
        self._starts: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for concept in lexicon.concepts:
            for code in lexicon.languages:
                for form in self._forms(concept, code):
                    self._senses[form][code].append(concept)
                    self._starts[code][form[:1]].append((form, concept))
        self._broader = {concept: relations.above(concept) for concept in lexicon.concepts}
        for concept, category in lexicon.categories.items():
            if category in lexicon.entries and category != concept:
                self._broader[concept].add(category)
        self._nearest: dict[tuple[str, str], str] = {}
        self._known: dict[tuple, Label] = {}
        self._related: dict[str, list[str]] = defaultdict(list)
        for code, form in relations.words:
            self._related[form].append(code)

    def label(
        self, answer: str, pair: LanguagePair, expected: str, query: str, shots: Sequence[str] = ()
    ) -> Label:
        """Label of `answer` where `expected` is right, `query`'s word stands in the prompt, after
        few-shot examples of the concepts `shots`.
        """
        asked = answer, pair, expected, query, tuple(shots)
        if asked not in self._known:
            self._known[asked] = self._labelled(*asked)
        return self._known[asked]

    def _labelled(
        self, answer: str, pair: LanguagePair, expected: str, query: str, shots: tuple[str, ...]
    ) -> Label:
        form = normal_form(answer)
        if not form:
            return Label("not_a_word", "no answer")
        found = next(self._exact(form, pair, expected, query, shots), None) or next(
            self._near(form, pair, expected, query, shots), None
        )
        return found or self._rest(form, pair)

    def _exact(
        self, form: str, pair: LanguagePair, expected: str, query: str, shots: Sequence[str]
    ) -> Iterator[Label]:
        word, said = self._lexicon.word(expected, pair.output), self._senses.get(form, {})
        if form == normal_form(word):
            yield Label(
                "correct", "also the query word" if form in self._forms(query, pair.input) else ""
            )
        if form in self._forms(expected, pair.output):
            yield Label("synonym", f"accepted beside {word!r}")
        if query != expected and query in said.get(pair.output, ()):
            yield Label("target_concept", f"word of {query!r}")
        for shot in shots:
            for role, code in (("answer", pair.output), ("query word", pair.input)):
                if form == normal_form(self._lexicon.word(shot, code)):
                    yield Label("few_shot", f"{role} of the few-shot example of {shot!r}")
        if query in said.get(pair.input, ()):
            yield Label("copy", f"word of {query!r} in {pair.input}")
        related = self._relations.of(form, pair.output, expected)
        if "synonym" in related:
            yield Label("synonym", f"synset mate of {expected!r}: {related['synonym']}")
        meant = [
            concept for concept in said.get(pair.output, ()) if concept not in (expected, query)
        ]
        # A patched vector may come from any language; without a patch only the input language was
        # read.
        read = (pair.input,) if query == expected else self._lexicon.languages
        for kind in ("other_sense", "homograph"):
            for concept in meant:
                if why := self._ambiguous(expected, concept, read, across=kind == "homograph"):
                    yield Label(kind, why)
        if codes := [
            code for code, concepts in said.items() if code != pair.output and expected in concepts
        ]:
            yield Label(
                "wrong_language",
                f"{expected!r} in {', '.join(codes)}{self._beside(form, expected, pair.output)}",
            )
        for concept in meant:
            for broad, narrow in ((concept, expected), (expected, concept)):
                if broad in self._broader[narrow]:
                    yield Label("hypernym_hyponym", f"{broad!r} is broader than {narrow!r}")
        for relation, name in (
            ("hypernym", "hypernym_hyponym"),
            ("hyponym", "hypernym_hyponym"),
            ("other_sense", "other_sense"),
        ):
            if relation in related:
                yield Label(name, f"{relation} of {expected!r}: {related[relation]}")

    def _near(
        self, form: str, pair: LanguagePair, expected: str, query: str, shots: Sequence[str]
    ) -> Iterator[Label]:
        """As `_exact`, for other forms; a word of another concept in the output language is no form
        of this one's.
        """
        if self._senses.get(form, {}).get(pair.output) or len(form) > 60:
            return
        if near := self._beside(form, expected, pair.output, mark=""):
            yield Label("other_form", near)
        if query != expected and (near := self._beside(form, query, pair.output, mark="")):
            yield Label("target_concept", f"{near}, word of {query!r}")
        for shot in shots:
            if near := other_form(
                form, normal_form(self._lexicon.word(shot, pair.output)), pair.output
            ):
                yield Label("few_shot", f"{near}, answer of the few-shot example of {shot!r}")
        if near := self._beside(form, query, pair.input, mark=""):
            yield Label("copy", f"{near}, word of {query!r} in {pair.input}")
        if form in self._senses or form in self._related:
            return
        for code in self._lexicon.languages:
            if code != pair.output and (near := self._beside(form, expected, code, mark="")):
                yield Label("wrong_language", f"{near}, word of {expected!r} in {code}")

    def _rest(self, form: str, pair: LanguagePair) -> Label:
        said = self._senses.get(form, {})
        for code in (pair.output, pair.input, *said):
            if said.get(code):
                return Label("other", f"word of {said[code][0]!r} in {code}")
        if form in self._related:
            code = self._related[form][0]
            (concept, relation), source = next(iter(self._relations.words[code, form].items()))
            return Label("other", f"{relation} of {concept!r} in {code}: {source}")
        for code in dict.fromkeys((pair.output, pair.input, *self._lexicon.languages)):
            if near := self._near_any(form, code):
                return Label("other", near)
        return Label("not_a_word", "not in the lexicon nor the relations")

    def _near_any(self, form: str, code: str) -> str:
        """As `_beside`, for any concept's word that begins as the form does: mutations and prefixes
        are not looked for.
        """
        if (form, code) not in self._nearest:
            found = (
                (other_form(form, known, code), concept)
                for known, concept in self._starts[code].get(form[:1], ())
            )
            self._nearest[form, code] = next(
                (f"{why}, word of {concept!r} in {code}" for why, concept in found if why), ""
            )
        return self._nearest[form, code]

    def _beside(self, form: str, concept: str, code: str, mark: str = "; also ") -> str:
        """How `form` is another form of one of the concept's words in a language; empty where it is
        none.
        """
        near = next(
            (why for word in self._forms(concept, code) if (why := other_form(form, word, code))),
            "",
        )
        return near and mark + near

    def _ambiguous(self, expected: str, concept: str, read: tuple[str, ...], across: bool) -> str:
        """The form that names `expected` in a language read and `concept` in the same language, or
        across languages.
        """
        for code in read:
            for form in self._forms(expected, code):
                for other, concepts in self._senses[form].items():
                    if concept in concepts and (other != code) == across:
                        return f"{form!r} is {expected!r} in {code} and {concept!r} in {other}"
        return ""

    def _forms(self, concept: str, language: str) -> list[str]:
        if (concept, language) not in self._words:
            self._words[concept, language] = [
                normal_form(word) for word in self._lexicon.words(concept, language)
            ]
        return self._words[concept, language]


def expectation(source: str, target: str, condition: str) -> tuple[str, str]:
    """The expected concept and the query concept of a prompt: the target concept is expected where
    nothing, or the prompt itself, is patched into the target prompt.
    """
    return (target if condition in ANSWER_IS_TARGET else source), (
        source if condition == "src_unpatched" else target
    )


@lru_cache(maxsize=4)
def _labeller(lexicon: Lexicon, relations: Relations) -> Labeller:
    """One labeller for all the tables of a page: it remembers what it has labelled."""
    return Labeller(lexicon, relations)


def label_answers(df: pd.DataFrame, lexicon: Lexicon, relations: Relations) -> pd.DataFrame:
    """The rows with columns `label` and `evidence`; missing where there is no answer.

    - `df`: rows of `results.read_cells`.

    `few_shot` is given where the rows have the columns `source_shots` and `target_shots` (a patched
    prompt has the target's); `attrs["few_shot"]` of what is returned says whether. Raises
    MeaningsError where no row has an answer.
    """
    rows = df[df["answer"].notna()]
    if rows.empty:
        raise MeaningsError("no row has an answer to label; measure with generate above 0")
    labeller = _labeller(lexicon, relations)
    columns = ["answer", "pair", "source_concept", "target_concept", "condition"]
    shots = pd.Series("", index=rows.index)
    if has_shots := {"source_shots", "target_shots"} <= set(df.columns):
        source_prompt = rows["condition"].astype(str) == "src_unpatched"
        shots = (
            rows["source_shots"]
            .astype(object)
            .where(source_prompt, rows["target_shots"].astype(object))
            .fillna("")
        )
    found = []
    for key in (
        rows[columns]
        .astype(object)
        .assign(shots=shots.astype(object))
        .itertuples(index=False, name=None)
    ):
        answer, pair, source, target, condition, examples = key
        expected, query = expectation(source, target, condition)
        concepts = tuple(filter(None, examples.split("|")))
        found.append(labeller.label(answer, parse_pair(pair), expected, query, concepts))
    labels = pd.DataFrame(
        {"label": [x.name for x in found], "evidence": [x.evidence for x in found]},
        index=rows.index,
    )
    labelled = df.join(
        labels.assign(label=pd.Categorical(labels["label"], categories=list(LABELS)))
    )
    labelled.attrs["few_shot"] = has_shots
    return labelled
