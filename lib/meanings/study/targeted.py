"""A study of targeted query words: one language pair after the other, each with its own prompts.

A grid says on which model, lexicon, pairs and conditions, and how many query words of each kind
there may be (`n_pairs`). Each language pair becomes a grid of its own, with a file of prompts in
which a query word and its control follow each other, so that all that a study can do (resume,
estimate, other models) it can do here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.targeted import KINDS
from meanings.measures.cell_files import METADATA
from meanings.measures.results import join_cells
from meanings.models.trajectories import seen_languages
from meanings.patching.conditions import condition
from meanings.prompts.targeted import Item, WordSizes, concept_pairs, draw_items
from meanings.study.grid import Grid, check_grid
from meanings.study.plan import plan_study
from meanings.study.publish import write_table
from meanings.study.run import in_process, run_plan

NAME = "targeted"
# What a published row says beside a cell's own columns.
ITEM_COLUMNS = ("kind", "role", "item", "word", "word_tokens")
# Columns of cells that the published table does without.
DROPPED = ("query", "p_target", "source_shots", "target_shots", "answer_correct_target")


@dataclass(frozen=True)
class PairStudy:
    """What is measured of one language pair: a grid with its prompts, and what its rows are."""

    pair: LanguagePair
    grid: Grid
    items: Sequence[Item]
    sizes: WordSizes

    def rows(self) -> pd.DataFrame:
        """By the number of the concept pair (`prompt`): `kind`, `role` (query or control), `item`,
        `word`, `word_tokens` (its tokens).
        """
        return pd.DataFrame(
            [
                (
                    2 * i + place,
                    item.query.kind,
                    role,
                    item.number,
                    each.word,
                    self.sizes.of(each.word)[0],
                )
                for i, item in enumerate(self.items)
                for place, (role, each) in enumerate(
                    (("query", item.query), ("control", item.control))
                )
            ],
            columns=["prompt", *ITEM_COLUMNS],
        )


def pair_studies(grid: Grid, out: Path) -> list[PairStudy]:
    """The studies of a grid's language pairs that have targeted words; their prompts are written
    below `<out>/prompts`.

    Raises MeaningsError as `check_grid` does, and where the grid has several prompt seeds or names
    prompts of its own.
    """
    from meanings.models.loading import load_tokenizer
    from meanings.prompts.usable_concepts import usable_concepts

    if grid.prompts != "drawn" or len(grid.prompt_seeds) != 1:
        raise MeaningsError(
            f"prompts {grid.prompts!r}, prompt_seeds {grid.prompt_seeds}: targeted words draw "
            "their own prompts; leave prompts out and name one prompt seed"
        )
    checked = check_grid(grid)
    place = checked.trajectories[0].last.tokenizer_folder()
    tokenizer = load_tokenizer(place, tokenizer=place, way=grid.tokenizer)
    _, left_out = usable_concepts(checked.lexicon, tokenizer, template=grid.template)
    pairs = [parse_pair(text) for text in grid.pairs]
    (seed,) = grid.prompt_seeds
    drawn = draw_items(checked.lexicon, tokenizer, pairs, grid.n_pairs, grid.shots, seed, left_out)
    seen = seen_languages(checked.trajectories[0], checked.lexicon)
    return [
        _pair_study(grid, out, checked.lexicon, tokenizer, pair, items, seen, left_out)
        for pair, items in drawn.items()
    ]


def _pair_study(grid, out, lexicon, tokenizer, pair, items, seen, left_out) -> PairStudy:
    from meanings.prompts.writing import write_draws

    file = out / "prompts" / f"{grid.model.replace('/', '_')}-{pair}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    draws = {grid.prompt_seeds[0]: concept_pairs(items)}
    written = write_draws(
        file,
        lexicon,
        {grid.model: tokenizer},
        draws,
        template=grid.template,
        pairs=[str(pair)],
        left_out=left_out,
    )
    conditions = [condition(name) for name in _names(grid)]
    values = {
        "pairs": (str(pair),),
        "prompts": str(file),
        "n_pairs": written.n_pairs,
        "conditions": tuple(each.name for each in conditions if each.source_pairs(pair, seen)),
    }
    return PairStudy(pair, grid.model_copy(update=values), items, WordSizes(tokenizer))


def _names(grid: Grid) -> Sequence[str]:
    if grid.conditions == "all":
        raise MeaningsError("conditions 'all': name the conditions of a targeted study")
    return grid.conditions


def run_targeted(
    studies: Sequence[PairStudy], out: Path, *, progress: bool = True, device: str = "auto"
) -> Iterator[tuple[LanguagePair, int, int]]:
    """Measure what is missing; by language pair, its cells and how many of them are new."""
    executor = in_process(device)
    for each in studies:
        plan = plan_study(each.grid, out, device=device)
        run_plan(plan, out, progress=progress, device=device, executor=executor)
        yield each.pair, len(plan.cells), len(plan.missing)


def publish_targeted(studies: Sequence[PairStudy], out: Path, *, measured: bool = False) -> Path:
    """Write `data/published/targeted.parquet`: the rows of these studies, and those of other models
    and training seeds that it has already.

    - `measured`: publish the cells that are measured; the others keep the rows that the table has.

    Raises MeaningsError where cells are not measured yet, or none are.
    """
    path = data_folder() / "published" / f"{NAME}.parquet"
    parts = [rows for each in studies if (rows := _rows(each, out, measured)) is not None]
    if not parts:
        raise MeaningsError(f"{out}: no cell is measured; run 'meanings targeted study' first")
    new = pd.concat(parts, ignore_index=True)
    if path.is_file():
        asked = {key for each in studies for key in plan_study(each.grid, out).keys}
        new = pd.concat([_kept(pd.read_parquet(path), new, asked), new], ignore_index=True)
    order = ["model", "training_seed", "step", "pair", "condition", "first_layer", "prompt"]
    new = new.sort_values(order, ignore_index=True)
    table = pa.Table.from_pandas(new, preserve_index=False)
    counts = {"name": NAME, "cells": int(new["key"].nunique())}
    return write_table(table.replace_schema_metadata({METADATA: json.dumps(counts).encode()}), path)


def _kept(old: pd.DataFrame, new: pd.DataFrame, asked: set[str]) -> pd.DataFrame:
    """The published rows that stay: those of other models and training seeds, and of cells that
    were asked for and not measured again.
    """
    place = ["model", "training_seed"]
    fresh = pd.MultiIndex.from_frame(old[place]).isin(pd.MultiIndex.from_frame(new[place]))
    still = old["key"].isin(asked - set(new["key"])).to_numpy()
    return old[~fresh | still]


def _rows(study: PairStudy, out: Path, measured: bool) -> pd.DataFrame | None:
    """The rows of a language pair; None where no cell of it is there."""
    plan = plan_study(study.grid, out)
    if plan.missing and not measured:
        raise MeaningsError(
            f"{len(plan.missing)} of {len(plan.cells)} cells of {study.pair} are not in {out}; run "
            "'meanings targeted study' with this grid first"
        )
    keys = set(plan.keys) - {cell.key for cell in plan.missing}
    if not keys:
        return None
    rows = join_cells(out, [key for key in plan.keys if key in keys]).to_pandas()
    elsewhere = [c for c in rows if c.startswith(("p_source_", "p_target_"))]
    rows = rows.drop(columns=[*elsewhere, *(c for c in DROPPED if c in rows)])
    described = study.rows()
    found = rows.merge(described, on="prompt", how="left", validate="many_to_one")
    assert found["kind"].notna().all()
    return found


def counts(studies: Sequence[PairStudy]) -> Mapping[str, int]:
    """Query words of each kind."""
    kinds = [item.query.kind for each in studies for item in each.items]
    return {kind: kinds.count(kind) for kind in KINDS}
