"""A cell: one unit of work, one result file, named by the hash of all that changes a number in it."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property

# Raised whenever the way a number is computed changes, so that old result files are not taken for
# new ones.
METHOD_VERSION = 1

# Fields that came later, with the value that means "as before": at that value they are left out of
# keys and files, so that what was measured before they were there keeps its key.
LATER: dict[str, object] = {"prompts_sha256": "", "layers": "from", "source_pairs": 0}


@dataclass(frozen=True)
class Cell:
    """What is measured: model, moment of training, words, prompts, condition and score.

    - `weights_sha256`, `lexicon_sha256`: what the model and the lexicon are, whatever they are
      called.
    - `languages`: the languages in which both concepts are scored and over which pairs are made
      eligible.
    - `seen_languages`: the model's, from which the conditions take their source pairs.
    - `generate`: tokens generated greedily after each prompt, 0 for none.
    - `prompts_sha256`: of a file of prompts that was used instead of drawing; empty where they were
      drawn.
    - `score`: `first_token`, or `word`: the probability of the whole word and its closing quote.
    - `layers`: `from` overwrites the first layer and all later ones, `only` that layer alone.
    - `source_pairs`: source prompts in the mean, 0 for all.
    """

    model: str
    training_seed: int
    step: int
    tokens: int
    weights_sha256: str
    lexicon: str
    lexicon_sha256: str
    languages: tuple[str, ...]
    pair: str
    condition: str
    prompt_seed: int
    n_pairs: int
    shots: int
    template: str
    generate: int
    seen_languages: tuple[str, ...]
    dtype: str = "float32"
    patched_tokens: str = "last"
    score: str = "first_token"
    method: int = METHOD_VERSION
    prompts_sha256: str = ""
    layers: str = "from"
    source_pairs: int = 0

    @cached_property
    def key(self) -> str:
        """SHA-256, hex, of the fields as canonical JSON, later ones at their usual value left out."""
        return hashlib.sha256(
            json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    def __str__(self) -> str:
        return f"{self.model} seed {self.training_seed} step {self.step} {self.pair} {self.condition} prompts {self.prompt_seed}"

    def to_dict(self) -> dict:
        """Its fields, without those of `LATER` at their usual value."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in LATER or value != LATER[name]
        }

    @classmethod
    def from_dict(cls, values: dict) -> "Cell":
        """A cell from its fields as JSON gives them (lists for tuples); a later field may be
        missing.
        """
        found = LATER | values
        return cls(
            **{f.name: tuple(v) if isinstance(v := found[f.name], list) else v for f in fields(cls)}
        )


CELL_FIELDS = tuple(field.name for field in fields(Cell))
