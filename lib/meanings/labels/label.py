"""The labels of answers, in the order in which their rules are tried."""

from dataclasses import dataclass

LABELS: dict[str, str] = {
    "correct": "the word that prompts use for the expected concept in the output language",
    "other_form": "an accepted word of the expected concept in another form: inflected, without a "
    "diacritic, spelt a letter differently, or said over and over",
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
    "not_a_word": "a string that the lexicon, the relations and the text of the Universal "
    "Declaration of Human Rights have in no trained language, and no form of such a word, or "
    "nothing at all; real words that these lists lack are among them",
}
# As pages show them, where the name says more than the rule can know.
SHOWN = {"not_a_word": "in no word list"}


def in_words(name: object) -> str:
    """A label as pages show it, `other sense`."""
    return SHOWN.get(str(name), str(name).replace("_", " "))


@dataclass(frozen=True)
class Label:
    """The label of an answer.

    - `name`: one of `LABELS`; `evidence`: why, in words.
    """

    name: str
    evidence: str
