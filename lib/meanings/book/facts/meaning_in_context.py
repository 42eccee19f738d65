"""What the chapter Meaning in context says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import companions, wording
from meanings.book.tables.companions import named
from meanings.core.formatting import span
from meanings.statistics.companions import PAIR
from meanings.validity.claims.meaning_in_context import AM2ICO, on_test


def counted(curves: pd.DataFrame) -> str:
    """What a figure rests on: ambiguous words of a pair, pairs of languages, training runs."""
    return companions.counted(curves).replace(" concepts per", " ambiguous words per", 1)


def counted_pairs(table: pd.DataFrame) -> str:
    """What a figure of AM2iCo rests on."""
    sizes = table.groupby("split", observed=True)["n"].max()
    languages = table["language_a"].nunique()
    said = " and ".join(f"{n:,} pairs of contexts ({name})" for name, n in sizes.items())
    return f"{said} in each of {languages} language{'s' * (languages > 1)}"


def coverage(rows: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    languages = set(rows[PAIR].astype(str).to_numpy().ravel())
    low, high = int(rows["n"].min()), int(rows["n"].max())
    return {
        "mic_label": label,
        "mic_words": f"{low} to {high} ambiguous words per ordered pair of "
        f"{len(languages)} languages",
    }


def levels(curves: pd.DataFrame, floor: pd.DataFrame | None) -> dict[str, object]:
    """Heights at the end of training, beside the floor."""
    last = curves[curves["tokens"] == curves["tokens"].max()].set_index("variant")
    nearer = last.loc["nearer"]
    return {
        "mic_end": span(nearer["value"], nearer["low"], nearer["high"]),
        "mic_other": f"{last.loc['other_word', 'value']:z.2f}",
        "mic_context": f"{last.loc['context_only', 'value']:z.2f}",
        "mic_floor": companions.floor_at_end(floor),
    }


def moments(
    onset: pd.DataFrame, band: tuple[float, float] | None, rows: pd.DataFrame
) -> dict[str, object]:
    """When the share rises, and whether before patching."""
    return {
        "mic_onset": companions.onset(onset, rows),
        "mic_before": companions.before(onset, band),
    }


def real_model(table: pd.DataFrame) -> dict[str, object]:
    """Gemma on AM2iCo: means over languages on test, at the layers that are best on dev."""
    found = {
        variant: on_test(variant)({AM2ICO: table})
        for variant in ("auc", "word_only_auc", "context_only_auc", "accuracy", "gain")
    }
    means = {variant: float(rows["value"].mean()) for variant, rows in found.items()}
    own = {
        variant: float(on_test(variant, best_for=variant)({AM2ICO: table})["value"].mean())
        for variant in ("word_only_auc", "context_only_auc")
    }
    accuracy = found["accuracy"].set_index("language_a")["value"]
    gain = found["gain"]
    return {
        "mic_gemma_languages": ", ".join(named(str(code), "") for code in accuracy.index),
        "mic_gemma_auc": f"{means['auc']:z.2f}",
        "mic_gemma_word": f"{means['word_only_auc']:z.2f}",
        "mic_gemma_context": f"{means['context_only_auc']:z.2f}",
        "mic_gemma_word_own": f"{own['word_only_auc']:z.2f}",
        "mic_gemma_context_own": f"{own['context_only_auc']:z.2f}",
        "mic_gemma_accuracy": f"{accuracy.min():z.2f} to {accuracy.max():z.2f}",
        "mic_gemma_gains": f"{(gain['low'] > 0).sum()} of {len(gain)}",
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"mic_says_{name.removeprefix('meaning_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "Pretrained encoders lag far behind people in telling whether two words of different "
            "languages have one meaning in their contexts.",
            said["meaning_am2ico"],
            "yes",
            "This is a small decoder without fine-tuning: it reads the left context only, and the "
            "paper's numbers are not comparable one by one.",
        ),
        (
            "Contexts are needed: words alone or contexts alone do not suffice (adversarial pairs "
            "were added for this).",
            said["meaning_am2ico_gain"],
            "in part",
            "The words alone are far above chance in these rows, so most of an accuracy is not "
            "due to context.",
        ),
    ]
