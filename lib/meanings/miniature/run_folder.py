"""The folder of a training run: its recipe, its tokenizer and the list of its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from meanings.core.atomic_files import atomic_file, atomic_folder
from meanings.core.errors import MeaningsError
from meanings.lexicon.build import write_lexicon
from meanings.miniature.corpus import Corpus
from meanings.miniature.tokenizer import train_tokenizer
from meanings.miniature.treatments import TOUCHED, touched, untouched

SIGNS = "signs.csv"
HALVES = {"touched": "touched.csv", "untouched": "untouched.csv"}  # of a world's concepts
SECONDS = "seconds.json"


def run_tokenizer(home: Path, corpus: Corpus) -> PreTrainedTokenizerFast:
    """The run's tokenizer; trained and kept where there is none yet."""
    folder = home / "tokenizer"
    if folder.exists():
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    with atomic_folder(folder, first_wins=True) as aside:
        return train_tokenizer(corpus, aside)


def step_folder(step: int) -> str:
    """The name of a checkpoint's folder."""
    return f"step-{step:06d}"


def recipe_of(corpus: Corpus) -> str:
    """What the weights depend on but for the seed, as JSON: the mix, and a hash of the words and
    tables behind the text.
    """
    return (
        json.dumps(
            {
                "mix": corpus.mix.model_dump(mode="json", exclude_defaults=True),
                "corpus_sha256": corpus.sha256,
            },
            indent=1,
        )
        + "\n"
    )


def check_recipe(home: Path, corpus: Corpus) -> None:
    """Raise MeaningsError where the folder holds a run of another recipe."""
    path = home / "recipe.json"
    if not path.exists():
        with atomic_file(path) as aside:
            aside.write_text(recipe_of(corpus), encoding="utf-8")
    elif path.read_text(encoding="utf-8") != recipe_of(corpus):
        raise MeaningsError(
            f"{home}: holds a run of another recipe or lexicon; give another folder, or remove "
            "this one"
        )


def write_trajectory(
    home: Path, corpus: Corpus, seed: int, name: str, checkpoints: Sequence[int]
) -> None:
    """Write `trajectory.json`: a run's checkpoints, and what is known of its training text."""
    mix = corpus.mix
    per_step = mix.training.rows * mix.training.row_length
    content = {
        "model": name,
        "training_seed": seed,
        "seen": list(mix.seen_languages),
        "languages": {code: entry.model_dump() for code, entry in mix.languages.items()},
        "checkpoints": [
            {"step": step, "tokens": step * per_step, "folder": step_folder(step)}
            for step in checkpoints
        ],
        "text": corpus.known.to_dict(),
    }
    with atomic_file(home / "trajectory.json") as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_words(home: Path, corpus: Corpus) -> None:
    """Write a run's lexicon where it is not the embedded one: where the languages have signs of
    their own, or only some concepts are there; for clones also the half of the concepts that
    treatments may touch, and the other.
    """
    mix = corpus.mix
    if not mix.own_signs and mix.clones is None and mix.planted is None:
        return
    words = corpus.written("signs")
    write_lexicon(words, home / SIGNS)
    if mix.clones is not None:
        within = touched(corpus.lexicon, TOUCHED)
        write_lexicon(words.restrict(concepts=within), home / HALVES["touched"])
        outside = untouched(corpus.lexicon)
        write_lexicon(words.restrict(concepts=outside), home / HALVES["untouched"])


def note_seconds(home: Path, step: int, seconds: float) -> None:
    """Add the processor time up to a checkpoint to `seconds.json` (step -> seconds)."""
    known = seconds_of(home)
    with atomic_file(home / SECONDS) as aside:
        aside.write_text(json.dumps(known | {str(step): round(seconds, 2)}) + "\n")


def seconds_of(home: Path) -> dict[str, float]:
    """Processor seconds of the training up to each checkpoint, by step; empty if none are known."""
    path = home / SECONDS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
