"""The rules by which an answer gets its label.

Rules are tried in the order of `meanings.labels.label.LABELS`, first on exact words, then on other
forms of a word. The first that holds gives the label: an accepted word is right whatever else it
is; then comes what the prompt holds (the other prompt's concept, a few-shot example, the query
word); then what the lexicon and the relations know of the word. Only languages that the model was
trained on are evidence, those of the pair first.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from meanings.labels.forms import other_form, repeated
from meanings.labels.label import Label
from meanings.labels.running_text import running_words
from meanings.lexicon.forms import normal_form
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import Relations


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
        self,
        answer: str,
        pair: LanguagePair,
        expected: str,
        query: str,
        shots: Sequence[str] = (),
        trained: Sequence[str] = (),
    ) -> Label:
        """Label of `answer` where `expected` is right, `query`'s word stands in the prompt, after
        few-shot examples of the concepts `shots`.

        - `trained`: languages whose words are evidence, beside those of the pair, which come first:
          those that the model was trained on. Empty for all of the lexicon's.
        """
        wanted = answer, pair, expected, query, tuple(shots), tuple(trained)
        if wanted not in self._known:
            self._known[wanted] = self._labelled(*wanted)
        return self._known[wanted]

    def _labelled(
        self,
        answer: str,
        pair: LanguagePair,
        expected: str,
        query: str,
        shots: tuple[str, ...],
        trained: tuple[str, ...],
    ) -> Label:
        form = normal_form(answer)
        if not form:
            return Label("not_a_word", "no answer")
        known = (pair.input, pair.output, *(trained or self._lexicon.languages))
        codes = tuple(dict.fromkeys(code for code in known if code in self._lexicon.languages))
        unit, times = (form, 1) if self._is_known(form, codes) else repeated(form)
        wanted = unit, pair, expected, query, shots, codes
        found = next(self._exact(*wanted), None) or next(self._near(*wanted), None)
        label = found or self._rest(unit, pair, codes)
        return label if times == 1 else _said_again(label, unit, times)

    def _is_known(self, form: str, codes: Sequence[str]) -> bool:
        return form in self._related or any(self._senses.get(form, {}).get(c) for c in codes)

    def _exact(
        self,
        form: str,
        pair: LanguagePair,
        expected: str,
        query: str,
        shots: Sequence[str],
        codes: Sequence[str],
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
        # A patched vector may come from any trained language; without a patch only the input
        # language was read.
        read = (pair.input,) if query == expected else codes
        for kind in ("other_sense", "homograph"):
            for concept in meant:
                if why := self._ambiguous(expected, concept, read, codes, kind == "homograph"):
                    yield Label(kind, why)
        if elsewhere := [
            code for code in codes if code != pair.output and expected in said.get(code, ())
        ]:
            near = self._beside(form, expected, pair.output)
            yield Label("wrong_language", f"{expected!r} in {', '.join(elsewhere)}{near}")
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
        self,
        form: str,
        pair: LanguagePair,
        expected: str,
        query: str,
        shots: Sequence[str],
        codes: Sequence[str],
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
        if self._is_known(form, codes):
            return
        for code in codes:
            if code != pair.output and (near := self._beside(form, expected, code, mark="")):
                yield Label("wrong_language", f"{near}, word of {expected!r} in {code}")

    def _rest(self, form: str, pair: LanguagePair, codes: Sequence[str]) -> Label:
        said = self._senses.get(form, {})
        own_first = tuple(dict.fromkeys((pair.output, pair.input, *codes)))
        for code in own_first:
            if said.get(code):
                return Label("other", f"word of {said[code][0]!r} in {code}")
        if form in self._related:
            code = self._related[form][0]
            (concept, relation), source = next(iter(self._relations.words[code, form].items()))
            return Label("other", f"{relation} of {concept!r} in {code}: {source}")
        for code in own_first:
            if form in running_words(code):
                return Label("other", f"a word of the Universal Declaration in {code}")
        for code in own_first:
            if near := self._near_any(form, code):
                return Label("other", near)
        return Label("not_a_word", "in none of the word lists")

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

    def _ambiguous(
        self, expected: str, concept: str, read: Sequence[str], codes: Sequence[str], across: bool
    ) -> str:
        """The form that names `expected` in a language read and `concept` in the same language, or
        across languages.
        """
        for code in read:
            for form in self._forms(expected, code):
                for other in codes:
                    named = concept in self._senses[form].get(other, ())
                    if named and (other != code) == across:
                        return f"{form!r} is {expected!r} in {code} and {concept!r} in {other}"
        return ""

    def _forms(self, concept: str, language: str) -> list[str]:
        if (concept, language) not in self._words:
            self._words[concept, language] = [
                normal_form(word) for word in self._lexicon.words(concept, language)
            ]
        return self._words[concept, language]


def _said_again(label: Label, unit: str, times: int) -> Label:
    """The label of a word said several times: of the right one it is another form of the answer, of
    an unrelated one a string without meaning.
    """
    again = {"correct": "other_form", "synonym": "other_form", "other": "not_a_word"}
    evidence = filter(None, [f"{unit!r} said {times} times", label.evidence])
    return Label(again.get(label.name, label.name), "; ".join(evidence))
