"""The recipe of the miniature as typed data: languages, taught pairs, kinds of text, model, schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ..errors import MeaningsError
from ..languages import LANGUAGES, parse_pair


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageShare(_Strict):
    """How much of the text a language gets; `unseen` languages get none."""

    tier: Literal["high", "middle", "low", "unseen"]
    share: float  # relative weight among the monolingual documents, 0 for unseen


class TaughtPair(_Strict):
    """Two languages that occur side by side in the text, but for one fold of the concepts."""

    weight: float  # relative weight among the parallel documents
    held_out_fold: int  # concepts of this fold never stand side by side in this pair


class ModelShape(_Strict):
    """A Llama architecture with grouped-query attention."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    max_position_embeddings: int
    rope_theta: float


class Schedule(_Strict):
    """Optimisation: Muon for the layers' matrices, AdamW for embeddings and norms."""

    steps: int
    rows: int  # documents are packed into rows ...
    row_length: int  # ... of this many predicted tokens
    matrix_learning_rate: float  # Muon, update of unit spectral norm
    vector_learning_rate: float  # AdamW
    weight_decay: float  # of the matrices
    warmup_steps: int
    decay_from: float  # fraction of the steps after which both rates fall linearly ...
    final_fraction: float  # ... to this fraction of their peak
    checkpoints: tuple[int, ...]  # steps at which weights are kept, the first being 0


class Mix(_Strict):
    """Everything that decides what the miniature learns, but for the seed."""

    languages: dict[str, LanguageShare]
    pairs: dict[str, TaughtPair]
    folds: int  # the concepts are dealt into this many folds
    synonym_share: float  # how often a word is written as one of its synonyms, where that is allowed
    zipf_share: float  # this share of the documents draws its concepts by Zipf's law, the others all alike
    documents: dict[str, float]  # kind of document -> relative weight
    model: ModelShape
    training: Schedule

    @model_validator(mode="after")
    def _consistent(self) -> Mix:
        for code in self.languages:
            if code not in LANGUAGES:
                raise ValueError(f"languages: unknown code '{code}'; known are {', '.join(LANGUAGES)}")
        for name, pair in self.pairs.items():
            languages = parse_pair(name)
            for code in (languages.input, languages.output):
                if code not in self.seen_languages:
                    raise ValueError(f"pairs: '{name}' names '{code}', which the text never contains")
            if not 0 <= pair.held_out_fold < self.folds:
                raise ValueError(f"pairs: '{name}' holds out fold {pair.held_out_fold} of {self.folds}")
        steps = self.training.checkpoints
        if list(steps) != sorted(set(steps)) or steps[0] != 0 or steps[-1] != self.training.steps:
            raise ValueError("training.checkpoints must rise from 0 to training.steps")
        return self

    @property
    def seen_languages(self) -> tuple[str, ...]:
        return tuple(code for code, entry in self.languages.items() if entry.tier != "unseen")

    def tier(self, tier: str) -> tuple[str, ...]:
        return tuple(code for code, entry in self.languages.items() if entry.tier == tier)

    def taught(self, a: str, b: str) -> TaughtPair | None:
        """The entry of an unordered pair of languages; None where it never occurs side by side."""
        return self.pairs.get(f"{a}-{b}") or self.pairs.get(f"{b}-{a}")


def load_mix(path: Path) -> Mix:
    """Read and check a recipe.

    Raises MeaningsError naming the file, the field and what is allowed.
    """
    try:
        return Mix.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise MeaningsError(f"recipe {path}: no such file; the default one is data/miniature/mix.yaml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MeaningsError(f"recipe {path}: cannot be read ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        raise MeaningsError(f"recipe {path}: not YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise MeaningsError(f"recipe {path}: {where}: {first['msg']}") from None
