"""What a study costs before it is run: tokens, operations, hours, memory and disk, from a model's
shape and a grid's size.

Of each checkpoint, with N prompts a pair, in passes of one token through all layers (lengths and
parts as in `patching.cost`):

    targets    N pairs (P + C + C (S - 1) (L - 1) / 2)        one sweep a pair, over its C patched conditions
    unpatched  N pairs P                                      source prompts that are only read
    sources    N (alone R + together Q)                       R: a cut source prompt; Q: its last line, where another concept
                                                              after the same solved lines was just run
    answers    N pairs (C L + 2) (G - 1)

The published algorithm runs C L whole target prompts a pair instead (twice where answers are
generated), two unpatched ones, and the source prompts of every condition and pair anew, each token
with its logits.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import permutations
from numbers import Real
from pathlib import Path

import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.results import cell_path, finished, read_metadata
from meanings.patching.conditions import CONDITIONS, condition
from meanings.patching.flops import Cost, Lengths
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.prompt import translation_prompt
from meanings.prompts.usable_concepts import usable_concepts
from meanings.study.grid import Grid

BYTES = 2  # of a weight, a state, a key or a value in float16 or bfloat16
SEEN = (
    "en",
    "et",
    "fi",
    "fr",
    "pl",
    "ru",
    "es",
    "zh",
    "yue",
)  # of Multi-SimLex's 11 languages those that the paper counts as seen
LANGUAGES = (*SEEN, "cy", "sw")


@dataclass(frozen=True)
class Shape:
    """A decoder with gated MLPs (Llama's kind): three matrices of d_model x mlp and four of
    attention a layer.

    - `tied`: whether one matrix serves as input and output embedding.
    """

    layers: int
    d_model: int
    heads: int
    kv_heads: int
    mlp: int
    vocabulary: int
    tied: bool = False
    d_head: int = 0  # 0: d_model / heads

    def __post_init__(self) -> None:
        sizes = {
            name: getattr(self, name)
            for name in ("layers", "d_model", "heads", "kv_heads", "mlp", "vocabulary")
        }
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise MeaningsError(f"shape: {name}={size!r}: expected a whole number, 1 or more")
        if self.heads % self.kv_heads or (not self.d_head and self.d_model % self.heads):
            raise MeaningsError(
                f"shape: heads={self.heads} must be a multiple of kv_heads={self.kv_heads} and "
                f"divide d_model={self.d_model}"
            )

    @classmethod
    def of_config(cls, path: Path) -> Shape:
        """The shape of a Hugging Face `config.json`. Raises MeaningsError naming what it lacks."""
        names = {
            "layers": "num_hidden_layers",
            "d_model": "hidden_size",
            "heads": "num_attention_heads",
            "mlp": "intermediate_size",
            "vocabulary": "vocab_size",
        }
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise MeaningsError(
                f"{path}: no readable config.json ({type(error).__name__}); give a model's own"
            ) from None
        content = content.get("text_config", content) if isinstance(content, dict) else {}
        lacking = [name for name in names.values() if name not in content]
        if lacking:
            raise MeaningsError(
                f"{path}: {', '.join(lacking)} missing; expected the config.json of a decoder of "
                "Llama's kind"
            )
        found = {name: content[there] for name, there in names.items()}
        kv_heads = content.get("num_key_value_heads") or found["heads"]
        return cls(
            **found,
            kv_heads=kv_heads,
            tied=bool(content.get("tie_word_embeddings")),
            d_head=content.get("head_dim") or 0,
        )

    @property
    def head(self) -> int:
        return self.d_head or self.d_model // self.heads

    @property
    def layer_weights(self) -> int:
        attention = 2 * self.d_model * self.head * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.d_model * self.mlp)

    @property
    def parameters(self) -> int:
        """Weights, norms left out: less than a thousandth of them."""
        return self.layer_weights + (1 if self.tied else 2) * self.vocabulary * self.d_model

    @property
    def cost(self) -> Cost:
        return Cost(
            token=2.0 * self.layer_weights,
            logits=2.0 * self.vocabulary * self.d_model,
            attended=4.0 * self.head * self.heads * self.layers,
        )

    @property
    def weight_bytes(self) -> int:
        return BYTES * self.parameters

    @property
    def cached_bytes(self) -> int:
        """Bytes of keys and values of one token in every layer."""
        return BYTES * 2 * self.layers * self.kv_heads * self.head


# From the models' config files; described in arXiv 2409.16235, 2501.00656 and 2407.21783.
SHAPES = {
    "eurollm-1.7b": Shape(
        layers=24, d_model=2048, heads=16, kv_heads=8, mlp=5632, vocabulary=128_000
    ),
    "olmo-2-7b": Shape(
        layers=32, d_model=4096, heads=32, kv_heads=32, mlp=11_008, vocabulary=100_352
    ),
    "llama-3-70b": Shape(
        layers=80, d_model=8192, heads=64, kv_heads=8, mlp=28_672, vocabulary=128_256
    ),
}


def shape(name: str) -> Shape:
    """A known shape by name, or that of a config.json. Raises MeaningsError naming those that there
    are.
    """
    if name in SHAPES:
        return SHAPES[name]
    path = Path(name)
    if path.is_dir():
        path /= "config.json"
    if path.suffix == ".json":
        return Shape.of_config(path)
    raise MeaningsError(
        f"model {name!r}: its shape is not known; allowed are {one_of(SHAPES)}, or the path of a "
        "config.json"
    )


@dataclass(frozen=True)
class Extent:
    """How much is asked: the pairs in the order in which they are measured, conditions, prompts a
    pair, checkpoints.

    - `seen`: the model's seen languages, of those in the lexicon; `generate`: tokens an answer, 0
      for none.
    """

    pairs: tuple[LanguagePair, ...]
    seen: tuple[str, ...] = SEEN
    conditions: tuple[str, ...] = tuple(CONDITIONS)
    prompts: int = 256
    checkpoints: int = 26
    generate: int = 0

    def __post_init__(self) -> None:
        for name, least in (("prompts", 1), ("checkpoints", 1), ("generate", 0)):
            if getattr(self, name) < least:
                raise MeaningsError(f"{name}={getattr(self, name)!r}: expected {least} or more")

    @property
    def defined(self) -> list[tuple[LanguagePair, list[str]]]:
        """Each pair with the conditions that are defined for it."""
        return [
            (
                pair,
                [
                    name
                    for name in self.conditions
                    if CONDITIONS[name].source_pairs(pair, self.seen)
                ],
            )
            for pair in self.pairs
        ]


def every_pair(languages: Collection[str] = LANGUAGES) -> tuple[LanguagePair, ...]:
    """All ordered pairs of different languages: 110 of the paper's 11."""
    return tuple(LanguagePair(a, b) for a, b in permutations(languages, 2))


def extent_of(grid: Grid, checkpoints: int, seen: Collection[str]) -> Extent:
    """The extent of a grid at so many checkpoints. Answers after a patch are counted where every
    checkpoint gives them.
    """
    names = (
        tuple(CONDITIONS)
        if grid.conditions == "all"
        else tuple(condition(name).name for name in grid.conditions)
    )
    return Extent(
        tuple(map(parse_pair, grid.pairs)), seen=tuple(seen), conditions=names, prompts=grid.n_pairs * len(grid.prompt_seeds), checkpoints=checkpoints,
        generate=grid.generate if grid.generate_patched == "every" else 0,
    )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """The cost of a study, by our algorithm or by the published one.

    - `passes`: tokens through all layers; `operations`: floating-point ones; `rows`: of the
      results.
    - `state_bytes`: of the source states of one checkpoint, which are kept for all its pairs.
    """

    passes: float
    operations: float
    rows: int
    state_bytes: float

    def hours(self, peak: Real, utilisation: Real) -> float:
        """Hours at a share `utilisation` (0 to 1] of `peak` operations a second."""
        if not (peak > 0 and 0 < utilisation <= 1):
            raise MeaningsError(
                f"peak={peak!r}, utilisation={utilisation!r}: expected a peak above 0 and a share "
                "above 0, at most 1"
            )
        return self.operations / (peak * utilisation) / 3600


def ours(model: Shape, extent: Extent, lengths: Lengths) -> Plan:
    """As the library does it: what conditions, pairs and first layers share is run once."""
    alone, together, kept = sources(extent)
    pairs = extent.defined
    patched = sum(CONDITIONS[name].patched for _, names in pairs for name in names)
    swept = sum(
        any(CONDITIONS[name].patched or CONDITIONS[name].solved == "target" for name in names)
        for _, names in pairs
    )
    read = sum("src_unpatched" in names for _, names in pairs)
    wholes = swept + read
    unpatched = sum(not CONDITIONS[name].patched for _, names in pairs for name in names)
    after = (lengths.suffix - 1) * (model.layers - 1)
    before = lengths.prompt - lengths.suffix
    # passes, tokens that each looks at, positions whose logits are asked for
    parts = [
        (wholes * lengths.prompt, lengths.prompt / 2, wholes),
        (patched, before, 0),
        (patched * after / 2, before + lengths.suffix / 2, patched * (model.layers - 1)),
        (alone * lengths.source, lengths.source / 2, 0),
        (together * lengths.query, lengths.source - lengths.query / 2, 0),
    ]
    if extent.generate:
        more = (patched * model.layers + unpatched) * (extent.generate - 1)
        parts.append((more, lengths.prompt + extent.generate / 2, more))
    return _plan(model, extent, parts, kept, patched, unpatched)


def published(model: Shape, extent: Extent, lengths: Lengths) -> Plan:
    """The same cells by a whole forward for every first layer, each condition and pair with source
    prompts of its own.
    """
    pairs = extent.defined
    patched = sum(CONDITIONS[name].patched for _, names in pairs for name in names)
    unpatched = sum(not CONDITIONS[name].patched for _, names in pairs for name in names)
    read = sum(
        len(CONDITIONS[name].source_pairs(pair, extent.seen))
        for pair, names in pairs
        for name in names
        if CONDITIONS[name].patched
    )
    forwards = (patched * model.layers + unpatched) * lengths.prompt
    parts = [
        (forwards, lengths.prompt / 2, forwards),
        (read * lengths.source, lengths.source / 2, read * lengths.source),
    ]
    if extent.generate:
        answers = patched * model.layers + unpatched
        parts.append((answers * lengths.prompt, lengths.prompt / 2, answers))
        more = answers * (extent.generate - 1)
        parts.append((more, lengths.prompt + extent.generate / 2, more))
    most = max(
        (
            len(CONDITIONS[name].source_pairs(pair, extent.seen))
            for pair, names in pairs
            for name in names
        ),
        default=0,
    )
    return _plan(model, extent, parts, most, patched, unpatched)


def prompt_lengths(
    words: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[LanguagePair],
    shots: int = 5,
    each: int = 8,
) -> Lengths:
    """Mean lengths over `each` target prompts of every pair, drawn with seed 0."""
    usable, _ = usable_concepts(words, tokenizer)
    drawn = draw_concept_pairs(usable, tokenizer, words.languages, each, shots, seed=0)
    return Lengths.of(
        [
            translation_prompt(words, tokenizer, pair, one.target, one.target_shots)
            for pair in pairs
            for one in drawn
        ]
    )


def bytes_a_row(folder: Path) -> float:
    """Bytes that a row of a patched cell takes in the result files of `folder`. Raises
    MeaningsError where it has none.
    """
    cells = [
        path
        for key in sorted(finished(folder))
        if CONDITIONS[read_metadata(path := cell_path(folder, key))["cell"]["condition"]].patched
    ]
    if not cells:
        raise MeaningsError(
            f"{folder}: no patched cells to measure the size of; run 'meanings study' first"
        )
    return sum(path.stat().st_size for path in cells) / sum(
        pq.read_metadata(path).num_rows for path in cells
    )


def _plan(
    model: Shape,
    extent: Extent,
    parts: Sequence[tuple[Real, Real, Real]],
    kept: int,
    patched: int,
    unpatched: int,
) -> Plan:
    times = extent.prompts * extent.checkpoints
    return Plan(
        passes=float(times * sum(passes for passes, _, _ in parts)),
        operations=times * sum(model.cost.run(*map(float, part)) for part in parts),
        rows=times * (patched * model.layers + unpatched),
        state_bytes=float(BYTES * kept * extent.prompts * model.layers * model.d_model),
    )


def sources(extent: Extent) -> tuple[int, int, int]:
    """Source prompts of one checkpoint, in units of `prompts`: run whole, run after a shared
    beginning, and kept in all.

    Pairs are prepared one after the other: two concepts share solved lines where both are first
    asked for by one pair.
    """
    there: set[tuple[LanguagePair, str, str]] = set()
    alone = together = 0
    for pair, names in extent.defined:
        new: dict[tuple[LanguagePair, str], set[str]] = {}
        for condition in (CONDITIONS[name] for name in names if CONDITIONS[name].patched):
            concept = "source" if condition.concept == "mean" else condition.concept
            for source in condition.source_pairs(pair, extent.seen):
                if (source, concept, condition.solved) not in there:
                    new.setdefault((source, condition.solved), set()).add(concept)
        alone += len(new)
        together += sum(len(concepts) - 1 for concepts in new.values())
        there |= {
            (source, concept, solved)
            for (source, solved), concepts in new.items()
            for concept in concepts
        }
    return alone, together, len(there)
