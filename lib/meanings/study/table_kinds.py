"""The kinds of published tables: what a row is, by which columns a kind is known, and what its own
columns mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from meanings.measures.clamping import COLUMNS as CLAMPING_COLUMNS
from meanings.measures.companion import COLUMNS as COMPANION_COLUMNS

INTERVAL = "95 % bootstrap interval"


@dataclass(frozen=True)
class Kind:
    """A kind of table.

    - `row`: what a row is, one sentence.
    - `marks`: columns that only tables of this kind have.
    - `columns`: descriptions of columns that other kinds lack, or have with another meaning.
    """

    row: str
    marks: frozenset[str]
    columns: Mapping[str, str] = field(default_factory=dict)


TARGETED = Kind(
    "A row is one targeted query word, or its control, at one first layer.",
    frozenset({"key", "role", "item"}),
    {
        "kind": "kind of the query word: false_friend, polysemous or cognate",
        "role": "query, or control: the plain word that is matched to it",
        "item": "number of the query word and its control within the language pair, from 0",
        "word": "the word in the input language that the source prompt asks for",
        "word_tokens": "number of its tokens",
    },
)
CELLS = Kind(
    "A row is one prompt at one first layer.",
    frozenset({"key"}),
)
CONCEPT_MEANS = Kind(
    "A row is the mean over language pairs of one concept, at one first layer, in one setting.",
    frozenset({"pairs"}),
)
MEANS = Kind(
    "A row is a mean over concepts, whose words may not be passed on.",
    frozenset({"n_units", "correct"}),
    {
        "pair": "language codes input-output, or all",
        "what": "a condition, or the difference of two, concept by concept",
        "mean": "mean over concepts of the probability, 0 to 1, of the source concept",
        "low": f"lower end of the {INTERVAL} over concepts",
        "high": f"upper end of the {INTERVAL} over concepts",
        "n_units": "concepts in the mean",
        "p_target": "mean probability, 0 to 1, of the target concept",
        "correct": "share, 0 to 1, of answers that are the source concept; or empty",
    },
)
RECOVERY = Kind(
    "A row is a model in a language pair: how much of an answer each part of a word carries.",
    frozenset({"verdict"}),
    {
        "target": "P(source concept), 0 to 1, in the target prompt as it is; a mean over concepts",
        "layers": "the same with the source word's states in all layers at its last token",
        "embedding": "the same with the source word's last token as well",
        "asked": "the same in the prompt that asks for the source concept",
        "seen": "the same as `target` with the other-language mean in all layers",
        "null_concept": "the same as `target` with a third concept in all layers",
        "attention": (
            "largest mean attention, 0 to 1, from the answer's position to the query word's last"
            " token"
        ),
        "attention_layer": "its layer, from 0",
        "attention_head": "its head, from 0",
        "verdict": "what patching can say about the model in this pair",
    },
)
KNOWN_TRUTH = Kind(
    "A row is a trial of the method on a constructed network whose truth is known.",
    frozenset({"reported"}),
    {
        "what": "what is reported: a layer, an onset in tokens, or the coverage of an interval",
        "by": "how it was measured",
        "meeting_layer": "true layer, from 0, from which on languages share a code",
        "reading_layer": "true layer, from 0, that reads the query word",
        "true": "the true value; inf: never; layer -1: there is none",
        "reported": (
            "the value that the method reports; for coverage the share, 0 to 1, of intervals "
            "that hold the truth"
        ),
        "low": "lower end of the 95 % interval of what is reported",
        "high": "upper end of the 95 % interval of what is reported",
        "worlds": "constructed networks behind the row",
    },
)
FALSE_POSITIVES = Kind(
    "A row is a claim with a rule: how often the rule makes the claim of shuffled labels.",
    frozenset({"nominal"}),
    {
        "claim": "the claim, in words",
        "chapter": "page of the book that makes it",
        "shuffled": "the labels that are shuffled",
        "rule": "when the claim is made",
        "version": (
            "now: the book's rule; before: one that it gave up; spared: one that it never had; "
            "shown: no claim of the book"
        ),
        "nominal": "share of false claims, 0 to 1, that the rule promises",
        "rate": "share of shuffles, 0 to 1, of which the claim is made",
        "low": "lower end of its 95 % Wilson interval",
        "high": "upper end of its 95 % Wilson interval",
        "shuffles": "number of shuffles",
        "mean": (
            "mean over shuffles of the number that the claim is about; empty where there is none"
        ),
    },
)
CONTROLS = Kind(
    "A row is one concept pair under one control of the patch, at one first layer.",
    frozenset({"own_concept"}),
    {
        "condition": "the vector that is written: seen, a null, random, or seen in reversed order",
        "own_concept": "concept that the vector was taken from, empty where there is none",
        "p_own": "probability of that concept in the output language, 0 to 1",
    },
)
WORD_OVERLAP = Kind(
    "A row is a concept in an output language.",
    frozenset({"shares_letters"}),
    {
        "output": "code of the output language",
        "shares_token": "whether a word there begins with a token that begins a word elsewhere",
        "shares_letters": "whether a word there has three letters in a row of a word elsewhere",
    },
)


def described(schema: pa.Schema) -> dict[str, str]:
    """What each column means, by a measure's own words."""
    return {field.name: field.metadata[b"description"].decode() for field in schema}


COMPANION = Kind(
    "A row is a companion measure of a checkpoint: one variant, layer, pair of languages and set "
    "of items.",
    frozenset({"variant", "language_a", "null_low"}),
    {
        **described(COMPANION_COLUMNS),
        "n": "items: concepts of a lexicon, or sentences or words of a treebank",
        "measure": "name of the measure",
        "lexicon": "name of the word list, or of the treebank and its items",
        "lexicon_sha256": "SHA-256, hex, of its content in the languages used, with annotation",
        "languages": "codes, with spaces, of the languages that are compared",
        "permutations": "draws of the permutation null",
        "seed": "seed of permutations, folds and resamples",
        "text_sha256": "SHA-256, hex, of what is known of the training text; or empty",
        "relations_sha256": "SHA-256, hex, of the pairs of related concepts",
        "list_sha256": "SHA-256, hex, of the gendered words and occupations; or empty",
        "texts_sha256": "SHA-256, hex, of the paragraphs and associations that are read",
        "items_sha256": "SHA-256, hex, of homographs and their contexts; or empty",
    },
)
CLAMPING = Kind(
    "A row is one kind of text that a checkpoint writes while units of a category or language are "
    "held at a high value.",
    frozenset({"target", "unclamped"}),
    {
        **described(CLAMPING_COLUMNS),
        "measure": "name of the measure",
        "languages": "codes, with spaces, of the languages that are compared",
        "length": "tokens of a text that is written",
        "n": "texts that are written",
        "units": "units held, of all layers together",
        "generations": "texts per condition",
        "sources": "languages in which a category's units are found",
        "seed": "seed of the texts",
    },
)
REINITIALISATION = Kind(
    "A row is a held-out concept in one language, after a short training in another with one block "
    "reset.",
    frozenset({"block", "nats"}),
    {
        "source": "code of the language of the short training",
        "draw": "number of the draw of held-out concepts, from 0",
        "block": "decoder block that is reset, from 1; 0 for the control without one",
        "language": "code of the language that is scored",
        "concept": "name of the held-out concept",
        "auc": "share of pairs in which an associate is likelier than a stranger; chance .5",
        "nats": "mean log-probability of an associate's word behind the concept's, in nats",
    },
)
CORRELATIONS = Kind(
    "A row is the rank correlation of one measure with transfer, over pairs of languages.",
    frozenset({"rho", "scope"}),
    {
        "layer": "layer of the measures, 0 the embedding; patching has one of its own",
        "transfer": "what is correlated with: patching (P(source concept) under `seen`) or probe",
        "measure": "measure and variant; `training step` is the step alone",
        "scope": "checkpoint: within this one; within: mean of these; pooled: all together",
        "step": "optimiser steps done at the checkpoint, -1 unless the scope is one",
        "rho": "Spearman's correlation, -1 to 1",
        "low": "lower end of its 95 % interval over resampled languages",
        "high": "upper end of its 95 % interval over resampled languages",
        "p": "two-sided, of languages dealt out anew (Mantel's test)",
        "n_pairs": "pairs of languages",
        "n_languages": "languages",
        "n_checkpoints": "checkpoints",
    },
)
COSTS = Kind(
    "A row is what a companion measure costs, at a checkpoint or with one size grown.",
    frozenset({"grown", "mebibytes"}),
    {
        "measure": "name of the measure",
        "grown": "checkpoint, with so many languages; or which size grows, on made-up states",
        "size": "how many languages, concepts or layers, or how wide",
        "seconds": "processor time in seconds, states not read",
        "mebibytes": "peak memory of the process, in MiB, at a checkpoint",
    },
)
KINDS = (
    CLAMPING, CORRELATIONS, COMPANION, COSTS, REINITIALISATION, CONTROLS, WORD_OVERLAP,
    TARGETED, CELLS, CONCEPT_MEANS, MEANS, RECOVERY, KNOWN_TRUTH, FALSE_POSITIVES,
)  # fmt: skip
