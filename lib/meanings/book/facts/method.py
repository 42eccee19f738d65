"""What the chapter Method says: the tensors of one patch in numbers and words."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts.wording import claim, either
from meanings.book.walkthrough import Walkthrough

ROUNDING = 1e-5  # in a probability, of float32 over the layers of a small model


def setting(walk: Walkthrough) -> dict[str, object]:
    """The model, the pair of concepts, and the prompts."""
    return {
        "me_model": walk.page.model,
        "me_step": walk.checkpoint.step,
        "me_layers": walk.model.n_layers,
        "me_width": walk.model.d_model,
        "me_vocab": walk.vocabulary,
        "me_source": walk.concepts.source,
        "me_target": walk.concepts.target,
        "me_null": walk.concepts.null,
        "me_pair": str(walk.pair),
        "me_shots": walk.page.shots,
        "me_turned": walk.n_changed,
        "me_drawn": walk.page.n_pairs,
        "me_example": walk.example,
        "me_word": walk.source_word,
        "me_target_word": walk.target_word,
    }


def concept_vectors(agreement: pd.DataFrame, n_sources: int) -> dict[str, object]:
    """How alike the source prompts' states are.

    - `agreement`: `mean cosine` by layer.
    """
    cosine = agreement["mean cosine"]
    return {
        "me_sources": n_sources,
        "me_first": f"{cosine.iloc[0]:.2f}",
        "me_last": f"{cosine.iloc[-1]:.2f}",
        "me_top_layer": int(cosine.idxmax()),
        "me_top": f"{cosine.max():.2f}",
    }


def patched_answer(
    walk: Walkthrough, layers: pd.DataFrame, first_layer: int, after: str, gap: float
) -> dict[str, object]:
    """What the patch changes.

    - `layers`: scores by first patched layer; `after`: the answer patched from `first_layer` on;
      `gap`: the largest difference between the library's sweep and the hooks.
    """
    before, unpatched = walk.answer_before(), walk.unpatched()
    return {
        "me_j": first_layer,
        "me_before": before,
        "me_after": after,
        # Rounding differs with the machine and its threads; what matters is the order of it.
        "me_gap": "less than 0.00001" if gap < ROUNDING else f"{gap:.0e}",
        "me_p0": f"{unpatched['P(source)']:.3f}",
        "me_p1": f"{layers.loc[first_layer, 'P(source)']:.3f}",
        "me_t0": f"{unpatched['P(target)']:.3f}",
        "me_t1": f"{layers.loc[first_layer, 'P(target)']:.3f}",
        "me_changed": either(
            after != before, "the answer has changed", "the answer has not changed"
        ),
        "me_right": either(
            walk.is_source(after),
            "and is an accepted word of the source concept",
            "and is no accepted word of the source concept",
        ),
    }


def cheap_sweep(walk: Walkthrough) -> dict[str, object]:
    """Token passes of the sweep, by the published algorithm and by the library."""
    saving = walk.saving()
    return {
        "me_published": f"{saving['published']:,.0f}",
        "me_ours": f"{saving['ours']:,.0f}",
        "me_ratio": f"{saving['ratio']:.0f}",
    }


def claims(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The chapter's claims.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    return {
        "me_identity": claim(rows, "method-identity"),
    }
