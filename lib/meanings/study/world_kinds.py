"""The kinds of tables of trained worlds; for the others see `meanings.study.table_kinds`."""

from meanings.measures.companion import COLUMNS as COMPANION_COLUMNS
from meanings.study.table_kinds import Kind, described

WORLD = {
    "world": "name of the trained world, see data/miniature/worlds.yaml",
    "language_a": "code of the first language; qaa, qab, qac are copies of English",
    "language_b": "code of the second language",
}
WORLD_PATCHING = Kind(
    "A row is one patched prompt of a checkpoint of a trained world.",
    frozenset({"world", "half"}),
    {
        **WORLD,
        "half": "touched: concepts that the treatment may reach; untouched: the others",
        "p_source": "probability, 0 to 1, that the answer begins with the source concept's word",
    },
)
WORLD_MEASURES = Kind(
    "A row is a companion measure of a checkpoint of a trained world: one variant, layer, pair of "
    "languages and set of untouched concepts.",
    frozenset({"world", "variant", "split"}),
    {**described(COMPANION_COLUMNS), **WORLD},
)
WORLD_TRAINING = Kind(
    "A row is a checkpoint of a trained world.",
    frozenset({"world", "seconds"}),
    {**WORLD, "seconds": "processor seconds of the training up to the checkpoint"},
)
WORLD_TASKS = Kind(
    "A row is a concept in one language, asked at the end of a world's training, after fine-tuning "
    "on a task in the first language.",
    frozenset({"world", "told"}),
    {
        **WORLD,
        "task": "facts: an arbitrary letter for each concept; class: the letter of its category",
        "steps": "optimiser steps of the fine-tuning",
        "reached": "whether fine-tuning ended because enough told concepts were right",
        "language": "code of the language that is asked",
        "concept": "name of the concept",
        "told": "whether its letter was told in fine-tuning",
        "touched": "whether a treatment may reach the concept",
        "pieces": "share, 0 to 1, of the word's tokens that occur in words of touched concepts",
        "letter": "the right letter",
        "answer_letter": "the most probable of the eight letters",
        "p": "probability, 0 to 1, of the right letter among the eight",
    },
)
WORLD_COSINES = Kind(
    "A row is a mean cosine of the states of words of two languages at the end of a world's "
    "training.",
    frozenset({"world", "bin"}),
    {
        **WORLD,
        "bin": "what two words share: friend, false friend, translation or unrelated",
        "variant": "raw, or centred: each language's mean taken off first",
        "layer": "layer, 0 the embedding",
        "value": "mean cosine, -1 to 1",
        "n": "pairs of words",
    },
)
WORLD_EMBEDDINGS = Kind(
    "A row is the retrieval of twin tokens by their input embeddings at the end of a world's "
    "training.",
    frozenset({"world", "variant", "null"}),
    {
        **WORLD,
        "variant": "raw, or rotated: after the best rotation, fitted on other tokens",
        "value": "share, 0 to 1, of tokens whose twin is the nearest, both ways",
        "null": "mean of the same with permuted twins",
        "null_high": "97.5 % quantile of the same; with one permutation that value",
        "n": "tokens of a language",
    },
)
WORLD_TEXT = Kind(
    "A row is a block of signs in the training text of a world.",
    frozenset({"world", "block"}),
    {
        **WORLD,
        "block": "a language's own signs, the shared ones, or common: names, digits, punctuation",
        "share": "share, 0 to 1, of the tokens of running text",
    },
)
KINDS = (
    WORLD_PATCHING, WORLD_MEASURES, WORLD_TRAINING, WORLD_TASKS, WORLD_COSINES, WORLD_EMBEDDINGS,
    WORLD_TEXT,
)  # fmt: skip
