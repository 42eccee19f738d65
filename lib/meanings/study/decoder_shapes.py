"""Sizes of decoder models: their weights, operations and bytes, from a name or a config.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from meanings.core.errors import MeaningsError, one_of
from meanings.patching.flops import Cost

BYTES = 2  # of a weight, a state, a key or a value in float16 or bfloat16


@dataclass(frozen=True)
class DecoderShape:
    """The sizes of a decoder with gated MLPs (Llama's kind): three matrices of d_model x mlp and
    four of attention per layer.

    - `d_head`: 0 for d_model / heads.
    - `tied`: whether one matrix serves as input and output embedding.
    """

    layers: int
    d_model: int
    heads: int
    kv_heads: int
    mlp: int
    vocabulary: int
    tied: bool = False
    d_head: int = 0

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
    def of_config(cls, path: Path) -> DecoderShape:
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
        """Width of one attention head."""
        return self.d_head or self.d_model // self.heads

    @property
    def layer_weights(self) -> int:
        """Weights of all layers, without embeddings and norms."""
        attention = 2 * self.d_model * self.head * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.d_model * self.mlp)

    @property
    def parameters(self) -> int:
        """Number of weights, without norms, which are less than a thousandth of them."""
        return self.layer_weights + (1 if self.tied else 2) * self.vocabulary * self.d_model

    @property
    def cost(self) -> Cost:
        """Floating-point operations of a token, of its logits, and per attended token."""
        return Cost(
            token=2.0 * self.layer_weights,
            logits=2.0 * self.vocabulary * self.d_model,
            attended=4.0 * self.head * self.heads * self.layers,
            layers=self.layers,
            unread=2.0 * self.d_model * (self.head * self.heads + 3 * self.mlp),
        )

    @property
    def weight_bytes(self) -> int:
        """Bytes of one checkpoint's weights."""
        return BYTES * self.parameters

    @property
    def cached_bytes(self) -> int:
        """Bytes of keys and values of one token in every layer."""
        return BYTES * 2 * self.layers * self.kv_heads * self.head


# From the models' config files; described in arXiv 2409.16235, 2501.00656 and 2407.21783.
SHAPES = {
    "eurollm-1.7b": DecoderShape(
        layers=24, d_model=2048, heads=16, kv_heads=8, mlp=5632, vocabulary=128_000
    ),
    "olmo-2-7b": DecoderShape(
        layers=32, d_model=4096, heads=32, kv_heads=32, mlp=11_008, vocabulary=100_352
    ),
    "llama-3-70b": DecoderShape(
        layers=80, d_model=8192, heads=64, kv_heads=8, mlp=28_672, vocabulary=128_256
    ),
}


def shape_named(name: str) -> DecoderShape:
    """A known shape, or that of a config.json. Raises MeaningsError naming the known ones."""
    if name in SHAPES:
        return SHAPES[name]
    path = Path(name)
    if path.is_dir():
        path /= "config.json"
    if path.suffix == ".json":
        return DecoderShape.of_config(path)
    raise MeaningsError(
        f"model {name!r}: its shape is not known; allowed are {one_of(SHAPES)}, or the path of a "
        "config.json"
    )
