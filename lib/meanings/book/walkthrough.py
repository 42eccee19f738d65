"""One patch followed step by step, for the chapter Method: everything that the page shows, from the
tensors of one model.

This is the only reading room that loads a model.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from meanings.book.chapters import Method
from meanings.book.figures.style import drawable
from meanings.book.tables.answers import plain
from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.models.checkpoints import Checkpoint, seen_languages, trajectory
from meanings.models.loading import PatchableModel
from meanings.patching import token_probability
from meanings.patching.conditions import CONDITIONS
from meanings.patching.flops import Lengths, sweep_passes
from meanings.patching.query_states import hidden_states
from meanings.patching.sweeping import sweep, unpatched
from meanings.prompts import answers
from meanings.prompts.concept_pairs import ConceptPair, draw_concept_pairs
from meanings.prompts.prompt import Prompt, translation_prompt
from meanings.prompts.usable_concepts import usable_concepts

ANSWER_TOKENS = 10


@dataclass(frozen=True)
class Walk:
    """A model, a pair of concepts, the two prompts, and the steps of the patch between them.

    - `example`: which of the drawn concept pairs, from 0; `turned`: how many of them the patch
      turns, at its best layer.
    """

    page: Method
    model: PatchableModel
    lexicon: Lexicon
    checkpoint: Checkpoint
    seen: tuple[str, ...]
    pair: LanguagePair
    example: int
    turned: int
    concepts: ConceptPair
    source: Prompt
    target: Prompt

    @property
    def vocabulary(self) -> int:
        return len(self.model.tokenizer)

    @property
    def source_word(self) -> str:
        """The source concept's word in the output language: what a patched answer should be."""
        return self.lexicon.word(self.concepts.source, self.pair.output)

    @property
    def target_word(self) -> str:
        return self.lexicon.word(self.concepts.target, self.pair.output)

    def runs(self) -> dict[str, int]:
        """What a sweep of all patched conditions over this prompt is made of: for the drawing and
        for the ratio.
        """
        patched = sum(
            condition.patched and condition.source_pairs(self.pair, self.seen) is not None
            for condition in CONDITIONS.values()
        )
        return {
            "n_tokens": len(self.target.token_ids),
            "position": self.target.query_position,
            "n_layers": self.model.n_layers,
            "conditions": patched,
        }

    def saving(self) -> dict[str, float]:
        """Token passes of that sweep, by the published algorithm and by the library's, and their
        ratio.
        """
        runs = self.runs()
        published, ours = sweep_passes(
            Lengths.of([self.target]), runs["n_layers"], runs["conditions"]
        )
        return {"published": published, "ours": ours, "ratio": published / ours}

    def token_table(self) -> pd.DataFrame:
        """The tokens of the target prompt's last line: position, text, and what stands there."""
        start, query = self.target.line_position, self.target.query_position
        rows = []
        for place in range(start, len(self.target.token_ids)):
            text = plain(self.model.tokenizer.decode([self.target.token_ids[place]]))
            role = (
                "query word's last token"
                if place == query
                else "the answer is read here"
                if place == len(self.target.token_ids) - 1
                else ""
            )
            rows.append({"position": place, "token": text, "role": role})
        return pd.DataFrame(rows).set_index("position")

    @cached_property
    def source_prompts(self) -> list[Prompt]:
        """The source concept in every pair of the condition `seen`, each cut at its query word when
        it is read.
        """
        pairs = CONDITIONS["seen"].source_pairs(self.pair, self.seen) or ()
        return [
            self.prompt(pair, self.concepts.source, self.concepts.source_shots) for pair in pairs
        ]

    def prompt(self, pair: LanguagePair, concept: str, shots: tuple[str, ...]) -> Prompt:
        return translation_prompt(
            self.lexicon, self.model.tokenizer, pair, concept, shots, self.page.template
        )

    def source_states(self) -> Float[Tensor, "layer pair d_model"]:
        """Each layer's output at the query word's last token, in every source pair."""
        return hidden_states(self.model, self.source_prompts)

    def check_vector(self, vector: Tensor) -> pd.DataFrame:
        """The vector's first numbers, layer by layer, beside its length."""
        rows = [
            {"layer": i, "length": float(row.norm())}
            | {f"number {k}": float(row[k]) for k in range(3)}
            for i, row in enumerate(vector)
        ]
        return pd.DataFrame(rows).set_index("layer").round(2)

    def agreement(self, stack: Tensor) -> pd.DataFrame:
        """Mean cosine between two pairs' vectors of the source concept, and between those and the
        null concept's.
        """
        others = hidden_states(
            self.model,
            [
                self.prompt(p.pair, self.concepts.null, self.concepts.source_shots)
                for p in self.source_prompts
            ],
        )
        unit, foreign = (torch.nn.functional.normalize(x.float(), dim=-1) for x in (stack, others))
        n = unit.shape[1]
        same = (torch.einsum("lpd,lqd->l", unit, unit) - n) / max(n * (n - 1), 1)
        different = torch.einsum("lpd,lqd->l", unit, foreign) / n**2
        return pd.DataFrame(
            {"mean cosine": same.tolist(), "with another concept": different.tolist()}
        ).rename_axis("layer")

    @contextmanager
    def hooks(self, by_layer: dict[int, Callable]) -> Iterator[None]:
        """Forward hooks on decoder layers, taken off again."""
        layers = self.model.network.get_submodule(self.model.layers_path)
        handles = [layers[layer].register_forward_hook(hook) for layer, hook in by_layer.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def forward(self) -> Float[Tensor, " vocab"]:
        """Next-token logits after the whole target prompt."""
        ids = torch.tensor([self.target.token_ids], device=self.model.device)
        return self.model.network(input_ids=ids, use_cache=False).logits[0, -1]

    @cached_property
    def columns(self) -> list[list[frozenset[int]]]:
        """First tokens of the source and of the target concept in the output language."""
        words = (
            self.lexicon.words(concept, self.pair.output)
            for concept in (self.concepts.source, self.concepts.target)
        )
        return [[answers.first_tokens(self.model.tokenizer, group) for group in words]]

    def scores(self, logits: Tensor) -> dict[str, float]:
        both = token_probability.concept_probability(
            logits[None], token_probability.token_columns(self.columns)
        )[0]
        return {"P(source)": float(both[0]), "P(target)": float(both[1])}

    def table(self, logits: list[Tensor]) -> pd.DataFrame:
        """P(source), P(target) and the most probable next token for every first patched layer."""
        rows = [
            self.scores(row)
            | {"most probable token": plain(self.model.tokenizer.decode([int(row.argmax())]))}
            for row in logits
        ]
        return pd.DataFrame(rows).rename_axis("first patched layer")

    def unpatched(self) -> dict[str, float]:
        """The same scores without a patch."""
        return self.scores(self.forward())

    def gap(self, vector: Tensor, layers: pd.DataFrame) -> float:
        """Largest difference between the library's sweep and the hooks' table."""
        found = sweep(self.model, [self.target], vector[:, None], self.columns).probabilities[:, 0]
        return float(
            (found - torch.tensor(layers[["P(source)", "P(target)"]].to_numpy())).abs().max()
        )

    def answer_before(self) -> str:
        """The greedy answer without a patch."""
        answers = unpatched(self.model, [self.target], self.columns, generate=ANSWER_TOKENS).answers
        return plain(answers.answer_word(answers[0][0])) if answers else ""

    def answer_after(self, vector: Tensor, first_layer: int) -> str:
        """The greedy answer with layers from `first_layer` on overwritten."""
        answers = sweep(
            self.model,
            [self.target],
            vector[:, None],
            self.columns,
            first_layers=[first_layer],
            generate=ANSWER_TOKENS,
        ).answers
        return plain(answers.answer_word(answers[0][0])) if answers else ""

    def is_source(self, answer: str) -> bool:
        return answers.word_match(
            answer, self.lexicon.words(self.concepts.source, self.pair.output)
        )

    def drawing(self, first_layer: int, answer: str) -> dict:
        """What the drawing writes, in letters that its font has."""
        shown = next(
            (p for p in self.source_prompts if drawable(p.text, "")), self.source_prompts[0]
        )
        lines = [prompt.text.splitlines()[-1] for prompt in (shown, self.target)]
        words = [
            self.lexicon.word(prompt.query_concept, prompt.pair.input)
            for prompt in (shown, self.target)
        ]
        others = (
            f"and {len(self.source_prompts) - 1} more pairs" if len(self.source_prompts) > 1 else ""
        )
        return {
            "source_word": drawable(words[0], self.concepts.source),
            "target_word": drawable(words[1], self.concepts.target),
            "source_line": drawable(
                lines[0][: lines[0].rindex(words[0]) + len(words[0])], str(shown.pair)
            ),
            "target_line": drawable(lines[1], str(self.pair)),
            "others": others,
            "answer": drawable(answer, "the answer"),
            "n_layers": self.model.n_layers,
            "first_layer": first_layer,
        }


def turned(cells: pd.DataFrame) -> list[int]:
    """The prompts whose patched answer (`seen`, at the layer where most are) is a word of the
    source concept.
    """
    rows = cells[
        (cells["condition"] == "seen") & cells["answer_correct_source"].fillna(False).astype(bool)
    ]
    if rows.empty:
        return []
    return sorted(
        rows[rows["first_layer"] == rows["first_layer"].value_counts().idxmax()]["prompt"]
    )


def start(page: Method, cells: pd.DataFrame) -> Walk:
    """Loads the checkpoint, draws the concept pairs, and writes the prompts of the one that is
    followed.

    - `cells`: what was measured of them, which says which pairs the patch turns.

    Raises MeaningsError where the example does not exist.
    """
    run, lexicon, pair = (
        trajectory(page.model, page.training_seed),
        load_lexicon(page.lexicon),
        parse_pair(page.pair[0]),
    )
    checkpoint = run.last if page.step < 0 else run.at(page.step)
    model = checkpoint.load()
    if not -1 <= page.first_layer < model.n_layers:
        raise MeaningsError(
            f"first_layer={page.first_layer}: {page.model} has layers 0 to {model.n_layers - 1}"
        )
    usable, _ = usable_concepts(lexicon, model.tokenizer, template=page.template)
    drawn = draw_concept_pairs(
        usable, model.tokenizer, lexicon.languages, page.n_pairs, page.shots, page.prompt_seed
    )
    if page.example >= len(drawn):
        raise MeaningsError(
            f"example={page.example}: {len(drawn)} concept pairs were drawn, so it runs from 0 to "
            f"{len(drawn) - 1}"
        )
    found = turned(cells)
    example = page.example if page.example >= 0 else (found or [0])[0]
    concepts = drawn[example]
    prompts = (
        translation_prompt(lexicon, model.tokenizer, pair, concept, shots, page.template)
        for concept, shots in (
            (concepts.source, concepts.source_shots),
            (concepts.target, concepts.target_shots),
        )
    )
    return Walk(
        page,
        model,
        lexicon,
        checkpoint,
        seen_languages(run, lexicon),
        pair,
        example,
        len(found),
        concepts,
        *prompts,
    )


def shapes(walk: Walk) -> pd.DataFrame:
    """The arrays of a patch: name, axes, shape."""
    layers, pairs, width = walk.model.n_layers, len(walk.source_prompts), walk.model.d_model
    rows = [
        ("target prompt", "position", (len(walk.target.token_ids),), "token ids"),
        (
            "source prompt, cut",
            "position",
            (len(walk.source.cut()),),
            "token ids up to the query word's last",
        ),
        (
            "source states",
            "layer x pair x d_model",
            (layers, pairs, width),
            "outputs of every layer at that token",
        ),
        ("concept vector", "layer x d_model", (layers, width), "their mean over pairs"),
        (
            "patched rows",
            "first layer x vocab",
            (layers, walk.vocabulary),
            "next-token logits, a row for every first layer",
        ),
    ]
    return pd.DataFrame(rows, columns=["array", "axes", "shape", "what it holds"]).set_index(
        "array"
    )


def conditions() -> pd.DataFrame:
    """Name and meaning of every condition, from the library."""
    return pd.DataFrame(
        {
            "condition": list(CONDITIONS),
            "source of the vector": [c.description for c in CONDITIONS.values()],
        }
    ).set_index("condition")


def provenance(walk: Walk) -> pd.DataFrame:
    """The box at the chapter's end."""
    rows = {
        "model": f"{walk.page.model}, training seed {walk.page.training_seed}, step {walk.checkpoint.step}",
        "weights (sha256)": walk.model.weights_sha256[:12],
        "lexicon": f"{walk.page.lexicon}, sha256 {walk.lexicon.sha256[:12]}",
        "prompts": f"seed {walk.page.prompt_seed}, concept pair {walk.example} of {walk.page.n_pairs}, {walk.page.shots} solved lines, template {walk.page.template}",
        "floating type": walk.model.dtype,
        "libraries": ", ".join(
            f"{name} {version(name)}" for name in ("meanings", "torch", "transformers", "nnsight")
        ),
    }
    return pd.DataFrame({"what": list(rows), "value": list(rows.values())}).set_index("what")
