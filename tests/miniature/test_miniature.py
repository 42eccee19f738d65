"""The miniature's recipe, text and training: what is held out is never said, and a killed run goes
on as if nothing happened.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from functools import cache
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from transformers import PreTrainedTokenizerFast

from meanings.core.errors import MeaningsError
from meanings.core.processes import is_dead, is_running
from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature import batches, report, run_folder, training
from meanings.miniature.documents import DOCUMENTS, FRAMES, heading
from meanings.miniature.draws import draw
from meanings.miniature.recipe import load_mix
from meanings.miniature.run_lock import LOCK, only_trainer
from meanings.miniature.tokenizer import train_tokenizer
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.usable_concepts import usable_concepts
from meanings.study.grid import read_grid
from stand_ins.recipes import RECIPE, changed, recipe_with

ROOT = Path(__file__).parents[2]


# The recipe.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs__en-sw": {"weight": 1.0, "held_out_fold": 0}}, "never contains"),
        ({"pairs__en-fr": {"weight": 1.0, "held_out_fold": 10}}, "fold 10 of 10"),
        ({"languages__xx": {"tier": "low", "share": 1}}, "unknown code 'xx'"),
        ({"training__checkpoints": [0, 5]}, "rise from 0"),
        ({"training__rows": "many"}, "valid integer"),
        ({"colour": 1}, "unknown field 'colour'; allowed are languages"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_line(change, message, tmp_path):
    (tmp_path / "mix.yaml").write_text(yaml.safe_dump(recipe_with(**change)))
    with pytest.raises(MeaningsError, match=message) as error:
        load_mix(tmp_path / "mix.yaml")
    assert "\n" not in str(error.value)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(MeaningsError, match="no such file"):
        load_mix(tmp_path / "mix.yaml")


def test_every_seen_language_is_linked_for_every_concept(corpus):
    """A concept held out of one of a language's pairs is said in another one."""
    for code in corpus.mix.seen_languages:
        said = set()
        for other in corpus.mix.seen_languages:
            if other != code:
                said |= set(corpus.side_by_side(code, other))
        assert said == set(corpus.lexicon.concepts), code


# The text.


def word_pairs(corpus, rng, kind):
    """What a parallel document puts side by side: its two languages by their headings, and lines of
    two words.
    """
    text = DOCUMENTS[kind](corpus, rng)
    if kind == "quoted_lines":
        rows = re.findall(r'^(.+?): "(.*?)" - (.+?): "(.*?)"$', text, flags=re.M)
        return rows[0][0], rows[0][2], [(a, b) for _, a, _, b in rows]
    if kind == "dictionary_lines":
        for frame in FRAMES:
            form = re.escape(frame)
            for name in ("A", "B", "a", "b", "other"):
                form = form.replace(r"\{" + name + r"\}", f"(?P<{name}>.+?)", 1)
            found = [re.fullmatch(form, line) for line in text.splitlines()]
            if all(found):
                names = found[0].groupdict()
                return names.get("A"), names.get("B"), [(row["a"], row["b"]) for row in found]
        raise AssertionError(text)
    if kind == "translated_list":
        sides = re.fullmatch(r"(.+?): (.*?)\. (.+?): (.*?)\.\n", text)
        return (
            sides[1],
            sides[3],
            list(zip(sides[2].split(", "), sides[4].split(", "), strict=True)),
        )
    head, *lines = text.splitlines()
    separator = next((s for s in (" = ", ": ", " – ", " → ") if s in head), " ")
    a, b = head.split(separator)
    if separator == " ":  # words may have spaces in them: leave those lines out
        lines = [line for line in lines if line.count(" ") == 1]
    return a, b, [tuple(line.split(separator, 1)) for line in lines]


@pytest.mark.parametrize(
    "kind",
    ["glossary", "separated_glossary", "translated_list", "quoted_lines", "dictionary_lines"],
)
def test_what_is_held_out_is_never_side_by_side(corpus, kind):
    codes = {heading(code): code for code in LANGUAGES}
    taught = [p for p in permutations(corpus.mix.seen_languages, 2) if corpus.mix.taught(*p)]

    @cache
    def allowed(a, b):
        return {
            (x, y)
            for concept in corpus.side_by_side(a, b)
            for x in corpus.lexicon.words(concept, a)
            for y in corpus.lexicon.words(concept, b)
        }

    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(400):
        a, b, rows = word_pairs(corpus, rng, kind)
        # A frame without the languages' names must be right in some taught pair.
        pairs = [(codes[a], codes[b])] if a else taught
        assert all(a == b or corpus.mix.taught(a, b) for a, b in pairs)
        for row in rows:
            assert any(row in allowed(*pair) for pair in pairs), (a, b, row)
            seen += 1
    assert seen > 1000


def test_untaught_pairs_have_nothing_side_by_side(corpus):
    for a, b in permutations(corpus.mix.seen_languages, 2):
        assert bool(corpus.side_by_side(a, b)) == bool(corpus.mix.taught(a, b))
        assert corpus.side_by_side(a, b) == corpus.side_by_side(b, a)


def test_text_depends_on_seed_and_step_alone(small, quick, tmp_path):
    tokenizer = train_tokenizer(small, tmp_path)
    rows = batches.packed_rows(small, tokenizer, 0, 5)
    assert rows.shape == (2, 33)
    assert (rows == batches.packed_rows(small, tokenizer, 0, 5)).all()
    assert (rows != batches.packed_rows(small, tokenizer, 0, 6)).any()
    assert (rows != batches.packed_rows(small, tokenizer, 1, 5)).any()


def runs_of_six(text: str) -> set[tuple[str, ...]]:
    """The first quoted words of every six lines in a row that have one: five few-shot examples and
    a query, in whatever frame.
    """
    words = re.findall(r'^[^"\n]*"(.*?)"', text, flags=re.M)
    return {tuple(words[start : start + 6]) for start in range(len(words) - 5)}


def evaluated_prompts(corpus) -> set[tuple[str, ...]]:
    """The query words of every prompt of the published grids, in all seen languages."""
    lexicon = load_lexicon("embedded")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(
        RECIPE / "seed-0" / "tokenizer", local_files_only=True
    )
    usable, _ = usable_concepts(lexicon, tokenizer)
    drawn = draw_concept_pairs(usable, tokenizer, lexicon.languages, 64, 5, 42)
    asked = [(p.source_shots, c) for p in drawn for c in (p.source, p.null)] + [
        (p.target_shots, p.target) for p in drawn
    ]
    return {
        tuple(lexicon.word(c, code) for c in (*shots, query))
        for shots, query in asked
        for code in corpus.mix.seen_languages
    }


def test_the_published_grids_are_all_pairs_of_the_miniature_once():
    over_training, at_the_end = (
        read_grid(ROOT / "book" / "parameters" / f"published{name}.yaml") for name in ("", "_pairs")
    )
    mix = load_mix(RECIPE / "mix.yaml")
    assert sorted([*over_training.pairs, *at_the_end.pairs]) == sorted(
        f"{a}-{b}" for a, b in permutations(mix.languages, 2)
    )
    assert (
        over_training.steps == tuple(mix.training.checkpoints)
        and at_the_end.steps == over_training.steps[-1:]
    )
    drawn = (
        "training_seeds",
        "prompt_seeds",
        "n_pairs",
        "shots",
        "template",
        "lexicon",
        "languages",
    )
    assert all(getattr(over_training, name) == getattr(at_the_end, name) for name in drawn)


def test_no_evaluated_prompt_is_part_of_the_text(corpus):
    """In the text of training seed 0 over the whole run; a planted prompt would be found."""
    evaluated = evaluated_prompts(corpus)
    assert len(evaluated) > 1000
    planted = next(iter(evaluated))
    assert planted in runs_of_six("".join(f'English: "{word}" - Suomi: "x"\n' for word in planted))
    found = set()
    for step in range(0, corpus.mix.training.steps, 100):
        rng = np.random.default_rng([0, step])
        found |= runs_of_six("".join(corpus.document(rng) for _ in range(64)))
    assert len(found) > 200
    assert not found & evaluated


def test_zipf_makes_some_concepts_frequent(corpus):
    always = type(corpus)(
        corpus.mix.model_copy(update={"zipf_share": 1.0}),
        corpus.lexicon,
        corpus.associations,
        corpus.patterns,
        corpus.passages,
    )
    rng = np.random.default_rng(0)
    drawn = [
        c for _ in range(300) for c in always.draw_concepts(rng, corpus.lexicon.concepts, 3, 3)
    ]
    counts = pd.Series(drawn).value_counts()
    assert corpus.frequencies[counts.index[0]] > 0.1
    assert counts.iloc[0] > 5 * counts.median()


def test_draw_follows_its_weights():
    rng = np.random.default_rng(0)
    drawn = [draw(rng, ("a", "b", "c"), (1.0, 0.0, 3.0)) for _ in range(4000)]
    assert drawn.count("b") == 0
    assert drawn.count("c") / drawn.count("a") == pytest.approx(3, rel=0.15)


def test_the_closing_quote_is_a_token_of_its_own(corpus, small, quick, tmp_path):
    tokenizer = train_tokenizer(small, tmp_path)
    for concept in corpus.lexicon.concepts[:100]:
        for code in corpus.mix.seen_languages:
            word = corpus.lexicon.word(concept, code)
            pieces = tokenizer.convert_ids_to_tokens(
                tokenizer(f'"{word}" -', add_special_tokens=False)["input_ids"]
            )
            assert pieces[0] == '"' and '"' in pieces[1:], (word, pieces)


# Training.


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


class Killed(Exception):
    pass


@pytest.mark.parametrize("killed_at", [1, 3, 5])
def test_a_killed_run_goes_on_to_the_same_weights(small, quick, tmp_path, monkeypatch, killed_at):
    whole = training.train(small, 0, tmp_path / "whole", progress=False)
    step = training.train_step

    def dies(run, *rest):
        if run.step == killed_at:
            raise Killed
        return step(run, *rest)

    monkeypatch.setattr(training, "train_step", dies)
    with pytest.raises(Killed):
        training.train(small, 0, tmp_path / "killed", progress=False)
    monkeypatch.setattr(training, "train_step", step)
    again = training.train(small, 0, tmp_path / "killed", progress=False)
    assert sorted(p.name for p in again.iterdir()) == sorted(p.name for p in whole.iterdir())
    for name in ("step-000003", "step-000006"):
        for key, tensor in weights(whole / name).items():
            assert torch.equal(tensor, weights(again / name)[key]), (name, key)


def test_training_keeps_to_one_thread_and_gives_the_others_back(
    small, quick, tmp_path, monkeypatch
):
    used, step, before = [], training.train_step, torch.get_num_threads()
    monkeypatch.setattr(
        training, "train_step", lambda *run: (used.append(torch.get_num_threads()), step(*run))[1]
    )
    torch.set_num_threads(2)
    try:
        training.train(small, 0, tmp_path, progress=False)
        assert used == [1] * 6 and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_training_moves_the_weights_and_lowers_the_loss(small, quick, tmp_path):
    home = training.train(small, 0, tmp_path, progress=False)
    first, last = weights(home / "step-000000"), weights(home / "step-000006")
    assert all(not torch.equal(first[key], last[key]) for key in first if "norm" not in key)
    run = training.begin(small.mix, 0)
    rows = np.tile(np.arange(33) % 7, (2, 1))
    losses = [
        training.train_step(run, batches.Batch.of(rows), small.mix.training, 1.0) for _ in range(6)
    ]
    assert losses[-1] < losses[0]


def test_another_recipe_in_the_same_folder_is_refused(small, quick, tmp_path):
    training.train(small, 0, tmp_path, progress=False)
    other = type(small)(
        small.mix.model_copy(update={"zipf_share": 0.1}),
        small.lexicon,
        small.associations,
        small.patterns,
        small.passages,
    )
    with pytest.raises(MeaningsError, match="another recipe"):
        training.train(other, 0, tmp_path, progress=False)


def test_two_trainings_of_one_run_do_not_meet(small, quick, tmp_path, monkeypatch):
    """The second is refused with the first one's process and machine, and spoils nothing."""
    step, refused = training.train_step, []

    def at_the_same_time(run, *rest):
        if run.step == 3:
            with pytest.raises(MeaningsError) as error:
                training.train(small, 0, tmp_path, progress=False)
            refused.append(str(error.value))
        return step(run, *rest)

    monkeypatch.setattr(training, "train_step", at_the_same_time)
    home = training.train(small, 0, tmp_path, progress=False)
    (said,) = refused
    assert f"process {os.getpid()} on {socket.gethostname()} is training this run" in said
    assert "\n" not in said and not (home / LOCK).exists()


def test_the_lock_of_a_dead_process_is_taken_over_and_of_another_machine_not(tmp_path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    (tmp_path / LOCK).write_text(f"{done.pid}\n{socket.gethostname()}\n")
    with only_trainer(tmp_path):
        assert (tmp_path / LOCK).read_text().startswith(f"{os.getpid()}\n")
    (tmp_path / LOCK).write_text(f"{done.pid}\nelsewhere\n")
    with (
        pytest.raises(MeaningsError, match=f"process {done.pid} on elsewhere .* remove {LOCK}"),
        only_trainer(tmp_path),
    ):
        raise AssertionError
    (tmp_path / "file").touch()
    with pytest.raises(MeaningsError, match="cannot be locked"), only_trainer(tmp_path / "file"):
        raise AssertionError


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="no /proc to see zombies in")
def test_a_process_that_ended_and_was_never_looked_after_holds_nothing(tmp_path):
    """Its number is still taken: a zombie."""
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    os.kill(ended.pid, 0)
    assert not is_running(ended.pid) and is_running(os.getpid())
    assert is_dead(f"{socket.gethostname()}-{ended.pid}-00000000")
    (tmp_path / LOCK).write_text(f"{ended.pid}\n{socket.gethostname()}\n")
    with only_trainer(tmp_path):
        pass
    ended.wait()
    assert not is_running(ended.pid)


def test_a_killed_trainer_leaves_a_lock_that_the_next_one_takes_over(tmp_path):
    code = (
        "import os, signal; from pathlib import Path\n"
        "from meanings.miniature.run_lock import only_trainer\n"
        f"with only_trainer(Path({str(tmp_path)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert (tmp_path / LOCK).exists()
    with only_trainer(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


def test_the_rate_warms_up_stays_and_falls():
    schedule = changed().training
    rates = [training.rate(step, schedule) for step in range(schedule.steps)]
    assert rates[0] == pytest.approx(1 / schedule.warmup_steps)
    assert max(rates) == 1.0
    assert rates[int(schedule.decay_from * schedule.steps) - 1] == 1.0
    assert rates[-1] == pytest.approx(schedule.final_fraction)
    assert all(b <= a for a, b in pairwise(rates[schedule.warmup_steps :]))


def test_the_shipped_weights_are_of_the_shipped_recipe(corpus):
    """Recipe, words and tables as they lie here are those that the shipped trajectory was trained
    with.
    """
    for home in sorted(RECIPE.glob("seed-*")):
        assert (home / "recipe.json").read_text(encoding="utf-8") == run_folder.recipe_of(corpus), (
            f"train {home.name} again"
        )
        steps = [
            entry["step"]
            for entry in json.loads((home / "trajectory.json").read_text(encoding="utf-8"))[
                "checkpoints"
            ]
        ]
        assert tuple(steps) == corpus.mix.training.checkpoints


# The report.


def synthetic_table(corpus) -> pd.DataFrame:
    """Known truth: taught answers all right, untaught half, low a quarter, unseen none; `seen` 0.6
    at layer 2, null 0.01.
    """
    rows = []
    concepts = corpus.lexicon.concepts[:40]
    for pair, kind in (("en-fr", "high"), ("fr-de", "high"), ("en-fi", "low"), ("en-sw", "unseen")):
        a, b = pair.split("-")
        for number, concept in enumerate(concepts):
            taught = kind == "high" and concept in corpus.side_by_side(a, b)
            right = {"low": number % 4 == 0, "unseen": False, "high": taught or number % 2 == 0}[
                kind
            ]
            for step in (0, 10):
                common = {
                    "pair": pair,
                    "step": step,
                    "training_seed": 0,
                    "source_concept": concept,
                    "target_concept": concept,
                }
                rows.append(
                    {
                        **common,
                        "condition": "tgt_unpatched",
                        "first_layer": -1,
                        "p_source": 0.0,
                        "answer_correct_target": step > 0 and right,
                    }
                )
                for layer in range(4):
                    p = (0.6 if layer == 2 else 0.2) if step else layer / 500
                    rows.append(
                        {
                            **common,
                            "condition": "seen",
                            "first_layer": layer,
                            "p_source": p,
                            "answer_correct_target": None,
                        }
                    )
                    rows.append(
                        {
                            **common,
                            "condition": "null_concept",
                            "first_layer": layer,
                            "p_source": 0.01 + layer / 1000,
                            "answer_correct_target": None,
                        }
                    )
    return pd.DataFrame(rows).astype({"answer_correct_target": "boolean"})


def test_the_report_recovers_what_was_put_in(corpus, monkeypatch):
    monkeypatch.setattr(report, "published", lambda name, columns=None: synthetic_table(corpus))
    found = report.report_json()
    assert found["seeds"] == [0]
    assert found["step0_accuracy"]["mean"] == 0
    assert found["step0_p_source"]["mean"] == pytest.approx(2 / 500)
    assert found["supervised_accuracy"]["mean"] == 1
    assert 0.2 < found["zero_shot_accuracy"]["mean"] < 0.8
    assert found["low_resource_accuracy"]["mean"] == pytest.approx(0.25)
    assert found["unseen_accuracy"]["mean"] == 0
    assert found["seen_p_source"]["mean"] == pytest.approx(0.6)
    assert found["null_p_source"]["mean"] == pytest.approx(0.012)
    table = report.report_table().set_index("measure")
    assert bool(table["met"]["supervised_accuracy"]) and not bool(
        table["met"]["zero_shot_accuracy"]
    )
    assert (table["low"] <= table["mean"] + 1e-9).all() and (
        table["mean"] <= table["high"] + 1e-9
    ).all()
