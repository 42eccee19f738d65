"""Typed parameters of each chapter, and the grid of cells that it reads."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.catalogue import measure_named
from meanings.models.checkpoints import trajectory
from meanings.study.grid import (
    CHECKPOINTS,
    DEFAULT_PAIRS,
    MODEL,
    TOKENIZER,
    Checkpoints,
    Grid,
    TokenizerWays,
)

PatchedCondition = Literal["seen", "en_en", "self", "tgt"]


class ChapterParameters(BaseModel):
    """Parameters that every chapter has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: str = Field("miniature", description=MODEL)
    training_seed: int = Field(0, ge=0, description="which training run of the model")
    lexicon: str = Field("embedded", description="embedded, or the path of a word list")
    pair: tuple[str, ...] = Field(
        DEFAULT_PAIRS, min_length=1, description="language pairs input-output, separated by commas"
    )
    checkpoints: Checkpoints = Field(8, description=CHECKPOINTS)
    tokenizer: TokenizerWays = Field("agreed", description=TOKENIZER)

    def steps(self) -> tuple[int, ...]:
        """The training steps that the chapter looks at; empty leaves it to `checkpoints`."""
        if not hasattr(self, "step"):
            return ()
        run = trajectory(self.model, self.training_seed)
        return (run.last.step if self.step < 0 else self.step,)

    def settings(self) -> Mapping[str, Any]:
        """The fields of the chapter's grid beside those that all chapters have."""
        return {}


class PatchingChapter(ChapterParameters):
    """Parameters of every chapter on patching."""

    prompt_seed: int = Field(
        42, ge=0, description="seed that draws concept pairs and their few-shot examples"
    )
    shots: int = Field(5, ge=1, le=20, description="few-shot examples before the query")
    n_pairs: int = Field(64, ge=8, description="concept pairs a language pair")
    template: str = Field("quoted", description="how a line of the prompt is written")

    def settings(self) -> Mapping[str, Any]:
        """See `ChapterParameters.settings`."""
        return {
            "pairs": self.pair,
            "prompt_seeds": (self.prompt_seed,),
            "shots": self.shots,
            "n_pairs": self.n_pairs,
            "template": self.template,
        }


class Emergence(PatchingChapter):
    """Emergence."""

    first_layer: int = Field(
        -1,
        ge=-1,
        description="first patched layer of the curves; -1 chooses it on half of the concepts",
    )


class LanguageDependence(PatchingChapter):
    """Language dependence."""

    condition: PatchedCondition = Field("seen", description="source of the concept vector")
    first_layer: int = Field(
        -1, ge=-1, description="first patched layer; -1 chooses it on half of the concepts"
    )


class ErrorAnalysis(PatchingChapter):
    """Error analysis."""

    condition: PatchedCondition = Field("seen", description="source of the concept vector")
    step: int = Field(-1, ge=-1, description="training step looked at; -1 is the last checkpoint")
    first_layer: int = Field(
        -1, ge=-1, description="first patched layer; -1 chooses it on half of the concepts"
    )
    n_examples: int = Field(20, ge=1, le=200, description="rows of the table of examples")


class Method(PatchingChapter):
    """Method."""

    pair: tuple[str, ...] = Field(
        ("fr-es",), min_length=1, max_length=1, description="the language pair, input-output"
    )
    step: int = Field(-1, ge=-1, description="training step looked at; -1 is the last checkpoint")
    first_layer: int = Field(
        -1, ge=-1, description="first patched layer; -1 takes the one with the highest P(source)"
    )
    example: int = Field(
        -1,
        ge=-1,
        description="which of the drawn concept pairs is followed; -1 is the first whose answer "
        "the patch changes to the source's",
    )


class CompanionChapter(ChapterParameters):
    """Parameters of every chapter on a companion measure.

    - `measures`: names of the measures that the chapter reads; `patches`: whether it reads cells
      of patching beside them.
    """

    measures: ClassVar[tuple[str, ...]]
    patches: ClassVar[bool] = False

    pair: tuple[str, ...] = Field(
        (), description="language pairs of the curves, separated by commas; empty: all"
    )
    layer: int = Field(
        -1,
        ge=-1,
        description="layer of the curves, 0 the embedding; -1 chooses it on other language pairs",
    )

    def settings(self) -> Mapping[str, Any]:
        """See `ChapterParameters.settings`."""
        return {"measures": self.measures}


class Cka(CompanionChapter):
    """CKA: the same shape."""

    measures = ("cka",)


class Retrieval(CompanionChapter):
    """Retrieval: the same place."""

    measures = ("retrieval",)


class LanguageIdentity(CompanionChapter):
    """Language identity and expert units."""

    measures = ("language_id", "expert_units")


class NeuronOverlap(CompanionChapter):
    """Neuron overlap and transfer."""

    measures = ("neuron_overlap",)


class Structure(CompanionChapter):
    """Structure: categories and relations."""

    measures = ("structure",)


class Abilities(CompanionChapter):
    """The order of abilities."""

    measures = ("abilities",)


class MeaningInContext(CompanionChapter):
    """Meaning in context."""

    measures = ("meaning_in_context",)


class Synthesis(CompanionChapter):
    """Eleven instruments, one training run."""

    measures = (
        "cka",
        "retrieval",
        "language_id",
        "expert_units",
        "structure",
        "relations",
        "neuron_overlap",
        "abilities",
        "meaning_in_context",
    )
    patches = True

    def settings(self) -> Mapping[str, Any]:
        """All measures that fit model and lexicon, with patching in the page's pairs; no answers
        are generated.
        """
        return {
            "measures": (*_fitting(self), "patching"),
            "pairs": self.pair or DEFAULT_PAIRS,
            "conditions": ("seen", "null_concept", "src_unpatched"),
            "generate": 0,
        }


def _fitting(page: CompanionChapter) -> tuple[str, ...]:
    """The measures of a chapter that the page's lexicon and model have what they need for."""
    lexicon = load_lexicon(page.lexicon)
    run = trajectory(page.model, page.training_seed)
    found = []
    for name in page.measures:
        measure = measure_named(name)
        try:
            measure.check(measure.Settings(), lexicon, [run])
        except MeaningsError:
            continue  # the page says what was not measured
        found.append(name)
    return tuple(found)


CHAPTERS: dict[str, type[ChapterParameters]] = {
    "method": Method,
    "emergence": Emergence,
    "language_dependence": LanguageDependence,
    "error_analysis": ErrorAnalysis,
    "cka": Cka,
    "retrieval": Retrieval,
    "language_identity": LanguageIdentity,
    "neuron_overlap": NeuronOverlap,
    "structure": Structure,
    "abilities": Abilities,
    "meaning_in_context": MeaningInContext,
    "synthesis": Synthesis,
}


def grid_of(parameters: ChapterParameters) -> Grid:
    """The grid of cells that a chapter reads: its checkpoints, or the one step that it looks at."""
    return Grid(
        model=parameters.model,
        training_seeds=(parameters.training_seed,),
        lexicon=parameters.lexicon,
        checkpoints=parameters.checkpoints,
        steps=parameters.steps(),
        tokenizer=parameters.tokenizer,
        **parameters.settings(),
    )
