"""Automatic labels of generated answers: what kind of right or wrong an answer is, with the evidence.

Rules are tried in the order of `LABELS`; the first that holds gives the label. They stand in for the manual labels of
the published error analysis: the same rules for every answer, and each says why.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import pandas as pd

from meanings.errors import MeaningsError
from meanings.folders import data_folder
from meanings.languages import LanguagePair, parse_pair
from meanings.lexicon import Lexicon
from meanings.lexicon.readers import read_table

LABELS: dict[str, str] = {
    "correct": "the word that prompts use for the expected concept in the output language",
    "synonym": "another accepted word of the expected concept in the output language",
    "target_concept": "the patch did not take: a word of the target prompt's own concept in the output language",
    "copy": "a word of the query concept in the input language: the query word said again",
    "other_sense": "another concept that a word of the expected concept names too, in the same language",
    "homograph": "another concept that a word of the expected concept names in a different language",
    "wrong_language": "the expected or the target concept in a language that was not asked for",
    "hypernym_hyponym": "a broader or narrower concept than the expected one, in the output language",
    "other": "none of these; the evidence names the concept, language or word that it resembles",
}
# Conditions in which the prompt's own concept is the right answer.
ANSWER_IS_TARGET = ("tgt_tgt", "tgt_unpatched")


@dataclass(frozen=True)
class Label:
    """- `name`: one of `LABELS`. - `evidence`: why, in words."""

    name: str
    evidence: str


class Labeller:
    """A lexicon turned round (form -> language -> concepts), with its broader and narrower concepts.

    - `broader`: concept -> broader concepts; a concept's category counts as one where it is a concept itself.
    """

    def __init__(self, lexicon: Lexicon, broader: dict[str, set[str]]) -> None:
        self._lexicon = lexicon
        self._senses: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for concept in lexicon.concepts:
            for code in lexicon.languages:
                for form in self._forms(concept, code):
                    self._senses[form][code].append(concept)
        self._broader = {concept: set(_closure(concept, broader)) for concept in lexicon.concepts}
        for concept, category in lexicon.categories.items():
            if category in lexicon.entries and category != concept:
                self._broader[concept].add(category)

    def label(self, answer: str, pair: LanguagePair, expected: str, query: str) -> Label:
        """Label of `answer` where `expected` is the right concept and `query` the one whose word stands in the prompt."""
        form, words = normal_form(answer), self._lexicon.words(expected, pair.output)
        if not form:
            return Label("other", "no answer")
        if form == normal_form(words[0]):
            return Label("correct", "also the query word" if form in self._forms(query, pair.input) else "")
        if form in self._forms(expected, pair.output):
            return Label("synonym", f"accepted beside {words[0]!r}")
        said = self._senses.get(form, {})
        if query != expected and query in said.get(pair.output, ()):
            return Label("target_concept", f"word of {query!r}")
        if query in said.get(pair.input, ()):
            return Label("copy", f"word of {query!r} in {pair.input}")
        meant = [concept for concept in said.get(pair.output, ()) if concept not in (expected, query)]
        # A patched vector may come from any language; without a patch only the input language was read.
        read = (pair.input,) if query == expected else self._lexicon.languages
        for kind in ("other_sense", "homograph"):
            for concept in meant:
                found = self._ambiguous(expected, concept, read, across=kind == "homograph")
                if found:
                    return Label(kind, found)
        for concept in dict.fromkeys((expected, query)):
            codes = [code for code, concepts in said.items() if code != pair.output and concept in concepts]
            if codes:
                return Label("wrong_language", f"{concept!r} in {', '.join(codes)}")
        for concept in meant:
            for broad, narrow in ((concept, expected), (expected, concept)):
                if broad in self._broader[narrow]:
                    return Label("hypernym_hyponym", f"{broad!r} is broader than {narrow!r}")
        return Label("other", self._resemblance(form, pair.output, expected, query))

    def _ambiguous(self, expected: str, concept: str, read: tuple[str, ...], across: bool) -> str:
        """The form that names `expected` in a language read and `concept` in the same language, or across languages."""
        for code in read:
            for form in self._forms(expected, code):
                for other, concepts in self._senses[form].items():
                    if concept in concepts and (other != code) == across:
                        return f"{form!r} is {expected!r} in {code} and {concept!r} in {other}"
        return ""

    def _resemblance(self, form: str, output: str, expected: str, query: str) -> str:
        said = self._senses.get(form, {})
        for code in (output, *said):
            if said.get(code):
                return f"{said[code][0]!r} in {code}"
        for concept in (expected, query):
            close = get_close_matches(form, self._forms(concept, output), n=1, cutoff=0.7)
            if close:
                return f"like {close[0]!r}, word of {concept!r}"
        return ""

    def _forms(self, concept: str, language: str) -> list[str]:
        return [normal_form(word) for word in self._lexicon.words(concept, language)]


def label_answers(df: pd.DataFrame, lexicon: Lexicon, broader: dict[str, set[str]]) -> pd.DataFrame:
    """`df` (rows of `results.read_cells`) with columns `label` and `evidence`; missing where there is no answer.

    The expected concept is the source concept; the target concept where the condition patches nothing into the target
    prompt, or the prompt into itself. Raises MeaningsError where no row has an answer.
    """
    rows = df[df["answer"].notna()]
    if rows.empty:
        raise MeaningsError("no row has an answer to label; measure with generate above 0")
    labeller = Labeller(lexicon, broader)
    known: dict[tuple, Label] = {}
    columns = ["answer", "pair", "source_concept", "target_concept", "condition"]
    found = []
    for asked in rows[columns].astype(object).itertuples(index=False, name=None):
        if asked not in known:
            answer, pair, source, target, condition = asked
            expected = target if condition in ANSWER_IS_TARGET else source
            query = source if condition == "src_unpatched" else target
            known[asked] = labeller.label(answer, parse_pair(pair), expected, query)
        found.append(known[asked])
    labels = pd.DataFrame({"label": [x.name for x in found], "evidence": [x.evidence for x in found]}, index=rows.index)
    return df.join(labels.assign(label=pd.Categorical(labels["label"], categories=list(LABELS))))


def load_broader() -> dict[str, set[str]]:
    """concept -> directly broader concepts, from the study's own `data/lexicon/relations.csv`."""
    table = read_table(data_folder() / "lexicon" / "relations.csv")
    if table.header != ("concept", "broader"):
        raise MeaningsError(f"{table.path}, line 1: columns {', '.join(table.header)}; expected concept, broader")
    broader: dict[str, set[str]] = defaultdict(set)
    for _, row in table.rows:
        broader[row["concept"]].add(row["broader"])
    return dict(broader)


def normal_form(word: str) -> str:
    """The form in which words are compared: NFC, case folded, without outer space (as `scoring.normal_form`, without torch)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).casefold()).strip()


def _closure(concept: str, broader: dict[str, set[str]], above: frozenset[str] = frozenset()) -> Iterator[str]:
    for other in broader.get(concept, ()):
        if other not in above:
            yield other
            yield from _closure(other, broader, above | {other})
