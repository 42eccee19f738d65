"""What the first page says: the book's three answers."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from meanings.book.chapters import ChapterParameters
from meanings.book.facts.emergence import NO_NULL
from meanings.book.facts.wording import either, interval, share_of_training
from meanings.book.tables import miniature as miniature_tables
from meanings.core.formatting import span
from meanings.labels import answers, gains
from meanings.statistics import claims, selection, summaries


def shared_space(
    page: ChapterParameters, curves: pd.DataFrame, chosen: pd.DataFrame, lead: str = "seen"
) -> dict[str, object]:
    """Is there a shared space, and when?

    - `curves`: means by condition and tokens; `chosen`: the rows at the chosen layers; `lead`: the
      condition that is followed. The null may be missing.
    """
    end, last = selection.last_checkpoint(curves), selection.last_checkpoint(chosen)
    seen, ceiling = (selection.one(end, condition=name) for name in (lead, "src_unpatched"))
    null, shared = NO_NULL, "nothing that would tell it from chance is defined"
    if (end["condition"] == "null_concept").any():
        null = interval(selection.one(end, condition="null_concept"))
        shared = either(
            claims.conditions_differ(last, lead, "null_concept") > 0,
            "yes",
            "not that could be told from chance",
        )
    onset = summaries.onsets(chosen, [lead]).iloc[0]
    return {
        "ix_model": page.model,
        "ix_seen": interval(seen),
        "ix_null": null,
        "ix_top": f"{ceiling['mean']:.2f}",
        "ix_share": share_of_training(onset["onset"], chosen),
        "ix_shared": shared,
        "ix_vector": either(
            lead == "seen",
            "a vector averaged over other languages",
            f"the vector of {lead} (there is no other pair to average over)",
        ),
    }


def languages(table: pd.DataFrame, patched: pd.DataFrame) -> dict[str, object]:
    """Does every language share alike?

    - `table`: one row an output language with `name` and `mean`; `patched`: the rows under the
      condition that is followed.
    """
    best, worst = (table.loc[table["mean"].agg(pick)] for pick in ("idxmax", "idxmin"))
    return {
        "ix_best": best["name"],
        "ix_worst": worst["name"],
        "ix_best_value": f"{best['mean']:.2f}",
        "ix_worst_value": f"{worst['mean']:.2f}",
        "ix_depends": either(
            claims.depends_on_language(patched),
            "depends on the language",
            "does not clearly depend on the language",
        ),
    }


def better_translations(
    labelled: pd.DataFrame, changes: Mapping[str, pd.DataFrame], own: str = "miniature: seen"
) -> dict[str, object]:
    """Is a gain a better translation?

    - `labelled`: the model's answers; `changes`: what became of each answer, by model and
      condition; `own`: the name of the model's among them.
    """
    right = answers.right_rate(labelled)
    source, after = (
        selection.one(right, group=name) for name in ("source prompt", answers.PATCHED_GROUP)
    )
    changed = changes[own]
    return {
        "ix_gains": int((changed["direction"] == 1).sum()),
        "ix_prompts": len(changed),
        "ix_losses": int((changed["direction"] == -1).sum()),
        "ix_better": span(*gains.share_of(changes["Gemma: self"], ["translation"])),
        "ix_source": f"{source['mean']:.0%}",
        "ix_after": f"{after['mean']:.0%}",
    }


def recipe(mix: Mapping[str, Any], tried: pd.DataFrame) -> dict[str, object]:
    """How the miniature's recipe was chosen, in one sentence.

    - `mix`: the training recipe; `tried`: one row a variant.
    """
    in_format = miniature_tables.share_of(mix, miniature_tables.TEST_FORMAT)
    running = miniature_tables.share_of(mix, miniature_tables.RUNNING_TEXT)
    return {
        "ix_recipe": f"The miniature's recipe is the one of {len(tried)} variants with the highest "
        f"P(source); {in_format:.0%} of its training documents have the format of the test's "
        f"prompts, and {running:.0%} are running text."
    }
