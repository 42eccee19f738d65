"""Inputs that are wrong, through the command line: each is one line that says what and where, and
nothing is written.

A row is a name, the command, the files that it meets, and words that the message must have: the
value or place, and what is allowed or the cure.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

from meanings.cli import main
from meanings.measures.cell_files import METADATA
from stand_ins.study_data import LANGUAGES, make_world

GRID = """
steps: [20]
pairs: [fr-es]
conditions: [tgt, tgt_unpatched]
n_pairs: 4
shots: 1
generate: 2
"""
SLURM = 'jobs: 2\nwalltime: "01:00:00"\n'
SIMLEX = "PoS,ENG 1,ENG 2,FRA 1,FRA 2\nnouns,cat,dog,chat,chien\n"
LISTS = 'word_original,en,fr\ncat,"[\'cat\']","{}"\n'
DIGITS = "9" * 5000


class Row(NamedTuple):
    """A wrong input.

    - `said`: words that the message has.
    - `files`: what lies in the folder, by name; a function makes it at the path.
    """

    name: str
    command: str | list[str]
    said: tuple[str, ...]
    files: Mapping[str, str | bytes | Callable[[Path], object]] = MappingProxyType({})
    environment: Mapping[str, str] = MappingProxyType({})


def parameter(name: str, text: str, *said: str, chapter: str = "emergence") -> Row:
    """A chapter's parameters."""
    return Row(f"parameter: {name}", ["chapter", chapter, *text.split()], said)


def grid(name: str, content: str | bytes | Callable, *said: str) -> Row:
    """A grid in YAML; text is a whole file, and `+` before it lays it over a good one."""
    if isinstance(content, str) and content.startswith("+"):
        lines = {
            line.split(":")[0]: line
            for line in [*GRID.strip().splitlines(), *content[1:].splitlines()]
        }
        content = "\n".join(lines.values())
    return Row(f"grid: {name}", "study bad.yaml", said, {"bad.yaml": content})


def lexicon(name: str, content: str | bytes | Callable, *said: str) -> Row:
    return Row(
        f"lexicon: {name}",
        "study good.yaml --lexicon words.csv",
        said,
        {"good.yaml": GRID, "words.csv": content},
    )


def entry(name: str, content: str | bytes | Callable, *said: str) -> Row:
    """The user's own registry."""
    return Row(f"registry: {name}", "models", ("models.yaml", *said), {"models.yaml": content})


def model(name: str, damage: Callable[[Path], object], *said: str) -> Row:
    """A copy of the small model's run in `model`, with something done to it."""

    def make(path: Path) -> None:
        shutil.copytree(Path(os.environ["MEANINGS_DATA"]) / "miniature" / "seed-0", path)
        damage(path)

    return Row(
        f"model: {name}",
        "study good.yaml",
        said,
        {"model": make, "good.yaml": GRID + "model: model\n"},
    )


def run(name: str, content: object, *said: str) -> Row:
    """A trajectory.json: text, or values laid over those of a good one."""

    def damage(folder: Path) -> None:
        file = folder / "trajectory.json"
        if isinstance(content, dict):
            file.write_text(json.dumps(json.loads(file.read_text()) | content))
        else:
            file.write_bytes(content if isinstance(content, bytes) else str(content).encode())

    return model(f"trajectory.json {name}", damage, "trajectory.json", *said)


def weights(name: str, damage: Callable[[Path], object], *said: str) -> Row:
    """Something done to the last checkpoint's folder."""
    return model(
        f"checkpoint {name}", lambda folder: damage(folder / "step-000020"), "step", "20", *said
    )


def words(name: str, damage: Callable[[Path], object], *said: str) -> Row:
    """Something done to the tokenizer's folder."""
    return model(f"tokenizer {name}", lambda folder: damage(folder / "tokenizer"), "model", *said)


def result(
    name: str,
    damage: Callable[[Path], object],
    *said: str,
    command: str = "publish trial good.yaml",
) -> Row:
    """A copy of finished results, with something done to one cell's file."""

    def make(path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        shutil.copytree(Path(os.environ["MEANINGS_DATA"]).parent / "results", path)
        damage(sorted(path.rglob("*.parquet"))[0])

    return Row(f"result: {name}", command, said, {"good.yaml": GRID, "_build/results": make})


def slurm(name: str, content: str, *said: str) -> Row:
    return Row(
        f"slurm: {name}",
        "study good.yaml --slurm cluster.yaml",
        ("cluster.yaml", *said),
        {"good.yaml": GRID, "cluster.yaml": content},
    )


def option(text: str, *said: str) -> Row:
    return Row(f"option: {text[:60]}", text, said, {"good.yaml": GRID})


def truncated(file: Path, keep: float = 0.5) -> None:
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * keep)])


def overwritten(file: Path) -> None:
    """The middle is zeros; beginning and end are as they were."""
    content = file.read_bytes()
    file.write_bytes(content[:4] + b"\0" * 400 + content[404:])


def changed(file: Path, change: Callable[[dict], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def pickled(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def reweighted(folder: Path, change: Callable[[dict], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def rewritten(file: Path, change: Callable[[pa.Table, dict], pa.Table]) -> None:
    """A result file with other rows or metadata."""
    table = pq.read_table(file)
    content = json.loads(table.schema.metadata[METADATA])
    table = change(table, content)
    pq.write_table(table.replace_schema_metadata({METADATA: json.dumps(content).encode()}), file)


def loop(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def folder_instead(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def bomb() -> str:
    """Nine levels of ten references each: a billion values, if they are unfolded."""
    levels = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    levels += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    return "\n".join([*levels, "pairs: *i"])


SIXTY_FOUR = "a" * 64
ROWS = [
    parameter("no equals sign", "fr-es", "'fr-es' is not a parameter", "name=value"),
    parameter("unknown", "pairs=fr-es", "unknown parameter 'pairs'", "allowed are model"),
    parameter("twice", "shots=3 shots=4", "'shots' is given twice", "give it once"),
    parameter("a word for a number", "prompt_seed=many", "prompt_seed='many'", "plain digits"),
    parameter("a leading zero", "prompt_seed=007", "prompt_seed='007'", "plain digits"),
    parameter("a fraction", "shots=5.0", "shots='5.0'", "plain digits"),
    parameter("digits of another script", "shots=٥", "shots='٥'", "plain digits"),
    parameter("below the range", "n_pairs=7", "n_pairs=7", "greater than or equal to 8"),
    parameter("above the range", "shots=21", "shots=21", "less than or equal to 20"),
    parameter("negative", "training_seed=-1", "training_seed=-1", "greater than or equal to 0"),
    parameter("five thousand digits", f"prompt_seed={DIGITS}", "prompt_seed=", "plain digits"),
    parameter(
        "five thousand digits of a rule",
        f"pair=fr-es checkpoints={DIGITS}",
        "is not understood",
        "allowed are all",
    ),
    parameter("an empty pair", "pair=", "language pair ''", "like 'fr-es'"),
    parameter("a trailing comma", "pair=fr-es,", "language pair ''", "like 'fr-es'"),
    parameter("a pair twice", "pair=fr-es,fr-es", "names a pair twice", "name each once"),
    parameter("a pair of one code", "pair=fr", "language pair 'fr'", "like 'fr-es'"),
    parameter("an unknown language", "pair=fr-zu", "unknown language 'zu'", "known codes are en"),
    parameter(
        "a language that the lexicon lacks",
        "pair=fr-zh",
        "lacks language 'zh'",
        "allowed are en, fr",
    ),
    parameter(
        "two pairs where one is shown", "pair=fr-es,es-fr", "pair=", "at most 1", chapter="method"
    ),
    parameter(
        "an unknown condition",
        "pair=fr-es condition=sein",
        "condition='sein'",
        "'seen'",
        chapter="error_analysis",
    ),
    parameter(
        "a step that is not there",
        "pair=fr-es step=15",
        "no checkpoint at step 15",
        "0, 10, 20",
        chapter="method",
    ),
    parameter(
        "a rule that is none",
        "pair=fr-es checkpoints=some",
        "'some' is not understood",
        "allowed are all",
    ),
    parameter("an unknown model", "model=maxiature", "'maxiature'", "there are miniature seed-0"),
    parameter("a model of five thousand letters", f"model={'m' * 5000}", "too long", "name"),
    parameter(
        "a model out of the data folder", "model=../miniature", "../miniature", "trajectory.json"
    ),
    parameter(
        "a lexicon that is not there",
        "lexicon=none.csv",
        "'none.csv': no such file",
        "expected 'embedded'",
    ),
    parameter(
        "an unknown chapter",
        "pair=fr-es",
        "no chapter 'emergency'",
        "emergence",
        chapter="emergency",
    ),
    grid("is not there", lambda path: None, "bad.yaml: cannot be read", "expected a YAML file"),
    grid("a folder", Path.mkdir, "bad.yaml: cannot be read", "expected a YAML file"),
    grid("a pipe", os.mkfifo, "bad.yaml: cannot be read", "expected a YAML file"),
    grid("a link to itself", loop, "bad.yaml: cannot be read", "expected a YAML file"),
    grid("very large", b"# " + b"x" * (2 << 20), "bad.yaml", "at most 1 MiB"),
    grid("no UTF-8", "pairs: [fr-es] # été".encode("latin-1"), "bad.yaml: cannot be read", "UTF-8"),
    grid("UTF-16", "pairs: [fr-es]".encode("utf-16"), "bad.yaml: cannot be read", "UTF-8"),
    grid("a NUL byte", b"pairs: [fr-es]\0", "bad.yaml: not valid YAML", "#x0000"),
    grid("binary", bytes(range(1, 128)), "bad.yaml: not valid YAML", "position"),
    grid("a list", "- pairs", "bad.yaml: expected lines `name: value`", "found list"),
    grid("one word", "pairs", "bad.yaml: expected lines `name: value`", "found str"),
    grid("unclosed", "pairs: [fr-es", "bad.yaml: not valid YAML", "expected ',' or ']'"),
    grid("tabs", "pairs:\n\t- fr-es", "bad.yaml: not valid YAML", "line 2"),
    grid(
        "a tag that runs code",
        "pairs: !!python/object/apply:os.system ['touch ran']",
        "not valid YAML",
        "python/object",
    ),
    grid("a tag that imports", "? !!python/name:os.system\n: 1", "not valid YAML", "python/name"),
    grid("a bomb of references", bomb(), "bad.yaml: not valid YAML", "write the value out"),
    grid(
        "a list within itself", "pairs: &a [*a]", "bad.yaml: not valid YAML", "write the value out"
    ),
    grid(
        "nested ten thousand deep",
        "pairs: " + "[" * 10000,
        "bad.yaml: not valid YAML",
        "nested too deep",
    ),
    grid(
        "two documents",
        "pairs: [fr-es]\n---\npairs: [es-fr]",
        "bad.yaml: not valid YAML",
        "single document",
    ),
    grid(
        "a day that does not exist",
        "model: 2024-13-45",
        "bad.yaml: not valid YAML",
        "put text in quotes",
    ),
    grid("a day", "model: 2024-01-01", "model=datetime.date(2024, 1, 1)", "put text in quotes"),
    grid("a number of five thousand digits", f"n_pairs: {DIGITS}", "bad.yaml", "digits"),
    grid("no number", "+n_pairs: .nan", "n_pairs=", "valid integer"),
    grid("infinity", "+n_pairs: .inf", "n_pairs=", "valid integer"),
    grid("a fraction", "+n_pairs: 4.5", "n_pairs=4.5", "valid integer"),
    grid("zero pairs", "+n_pairs: 0", "n_pairs=0", "greater than or equal to 1"),
    grid(
        "more pairs than there are",
        "+n_pairs: 1000000000",
        "1000000000 were asked for",
        "ask for fewer",
    ),
    grid("more shots than concepts", "+shots: 50", "50 shots per prompt need at least 103"),
    grid(
        "too many generated tokens", "+generate: 257", "generate=257", "less than or equal to 256"
    ),
    grid("a negative step", "+steps: [-1]", "no checkpoint at step -1", "0, 10, 20"),
    grid(
        "a step of forty digits", f"+steps: [{'9' * 40}]", "no checkpoint at step 9999", "0, 10, 20"
    ),
    grid("no pairs", "+pairs: []", "pairs=[]", "at least 1"),
    grid("nothing", "+pairs:", "pairs=None", "valid list"),
    grid("pairs by name", "+pairs: {fr-es: 1}", "pairs={'fr-es': 1}", "valid list"),
    grid("a pair twice", "+pairs: [fr-es, fr-es]", "one is named twice", "name each once"),
    grid("an unquoted no", "+pairs: [no]", "pairs[0]=False", "put a word in quotes"),
    grid("a name twice", "pairs: [fr-es]\npairs: [es-fr]", "'pairs' occurs twice", "line 1"),
    grid("a number for a name", "7: [fr-es]", "unknown parameter 7", "allowed are model"),
    grid("a list for a name", "[a, b]: 1", "['a', 'b'] is no name", "expected lines"),
    grid("half a character", '+model: "\\ud800"', "model='", "is not a text"),
    grid(
        "answers without a closing quote", "+template: brackets", "no closing quote", "generate=0"
    ),
    grid("an escape sequence in a name", '+template: "\\e[2J"', r"\x1b[2J", "allowed are quoted"),
    grid("a NUL in a path", '+lexicon: "words\\0.csv"', r"words\x00.csv", "no such file"),
    grid("an empty condition", "+conditions: []", "conditions", "at least 1"),
    grid("a seed below 0", "+prompt_seeds: [-1]", "prompt_seeds -1", "0 or more"),
    grid(
        "a training seed that is not there",
        "+training_seeds: [5]",
        "training seed 5",
        "miniature seed-0",
    ),
    lexicon("is not there", lambda path: None, "'words.csv': no such file", "expected 'embedded'"),
    lexicon("a folder", Path.mkdir, "words.csv: a folder with 0 files", "or a word list in CSV"),
    lexicon("empty", "", "words.csv: empty", "expected a header"),
    lexicon("a byte order mark alone", b"\xef\xbb\xbf", "words.csv: empty", "expected a header"),
    lexicon(
        "UTF-16",
        "concept,en,fr\ncat,cat,chat\n".encode("utf-16"),
        "words.csv: UTF-16",
        "save it as UTF-8",
    ),
    lexicon(
        "NUL bytes", b"concept,en,fr\ncat,cat,ch\0at\n", "words.csv, line 2", "control character"
    ),
    lexicon(
        "an escape sequence",
        b"concept,en,fr\ncat,cat,\x1b[31mchat\n",
        "words.csv, line 2",
        "control character",
    ),
    lexicon(
        "a cell without end",
        'concept,en,"fr' + "x" * 200_000,
        "words.csv, line 1",
        "not readable as CSV",
    ),
    lexicon(
        "a blank first line",
        "\nconcept,en,fr\ncat,cat,chat\n",
        "words.csv, line 1",
        "expected a column 'concept'",
    ),
    lexicon("semicolons", "concept;en;fr\ncat;cat;chat\n", "words.csv, line 1", "expected commas"),
    lexicon(
        "an unknown language",
        "concept,en,xx\ncat,cat,chat\n",
        "not known: 'xx'",
        "expected two or more of 'en'",
    ),
    lexicon(
        "a row too short", "concept,en,fr\ncat,cat\n", "line 2: 2 cells, expected 3", "quote a cell"
    ),
    lexicon(
        "a concept twice",
        "concept,en,fr\ncat,cat,chat\ncat,cat,chat\n",
        "line 3",
        "'cat' is already on line 2",
    ),
    lexicon(
        "an empty word",
        "concept,en,fr\ncat,cat,\n",
        "line 2, column 'fr': empty",
        "one word or more",
    ),
    lexicon("one concept", "concept,en,fr,es\ncat,cat,chat,gato\n", "has 1 concepts", "at least 5"),
    lexicon(
        "without the pair's language",
        "concept,en,fr\ncat,cat,chat\n",
        "lacks language 'es'",
        "allowed are en, fr",
    ),
    lexicon(
        "Multi-SimLex without a side",
        SIMLEX.replace("FRA 2", "FRA 3"),
        "no column 'FRA 2'",
        "'FRA 1' and 'FRA 2'",
    ),
    lexicon(
        "Multi-SimLex without nouns",
        SIMLEX.replace("nouns", "verbs"),
        "no noun",
        "expected rows whose PoS is 'nouns'",
    ),
    lexicon(
        "Multi-SimLex with an odd part of speech",
        SIMLEX.replace("nouns", "things"),
        "line 2, column 'PoS': 'things'",
        "nouns, verbs",
    ),
    lexicon(
        "lists that are code",
        LISTS.format("__import__('os').mkdir('ran')"),
        "line 2, column 'fr'",
        "expected a Python list",
    ),
    lexicon(
        "lists of numbers", LISTS.format("[1, 2]"), "line 2, column 'fr'", "expected a Python list"
    ),
    lexicon(
        "lists nested deep",
        LISTS.format("[" * 9000),
        "line 2, column 'fr'",
        "expected a Python list",
    ),
    lexicon("lists that are empty", LISTS.format("[]"), "no concept with a word in every language"),
    entry("is no mapping", "- mine", "expected lines `name: value`", "found list"),
    entry("an entry is a number", "mine: 3", "mine: expected lines `field: value`", "found int"),
    entry(
        "an unknown field",
        "mine: {hub: a/b, seen: [en], revision: x}",
        "mine: unknown field 'revision'",
        "allowed are like",
    ),
    entry(
        "a number for a field",
        "mine: {hub: a/b, seen: [en], 7: x}",
        "mine: unknown field 7",
        "allowed are like",
    ),
    entry(
        "a path for a hub", "mine: {hub: ../../etc, seen: [en]}", "hub='../../etc'", "owner/name"
    ),
    entry("a path for a name", "../mine: {hub: a/b, seen: [en]}", "../mine", "lower case letters"),
    entry(
        "like a list", "mine: {like: [bloom-560m]}", "like=['bloom-560m']", "allowed are eurollm"
    ),
    entry("like nothing", "mine: {like: nothing}", "like='nothing'", "allowed are eurollm"),
    entry("neither hub nor folders", "mine: {seen: [en]}", "mine: give either `hub` or `folders`"),
    entry(
        "a pattern without step",
        "mine: {hub: a/b, seen: [en], revisions: x}",
        "pattern 'x'",
        "{step} once",
    ),
    entry(
        "a pattern whose folder has the step",
        "mine: {folders: ['{step}/b'], root: ., seen: [en]}",
        "'{step}/b'",
        "{step} once",
    ),
    entry(
        "an unknown language",
        "mine: {hub: a/b, seen: [xx]}",
        "unknown language 'xx'",
        "known codes are en",
    ),
    entry(
        "tokens below 0",
        "mine: {hub: a/b, seen: [en], tokens: -1}",
        "tokens=-1",
        "greater than or equal to 0",
    ),
    entry(
        "a rule of five thousand digits",
        f"mine: {{hub: a/b, seen: [en], subsample: first {DIGITS}}}",
        "subsample=",
        "allowed are all",
    ),
    entry(
        "a tag that runs code",
        "mine: !!python/object/apply:os.mkdir [ran]",
        "not valid YAML",
        "python/object",
    ),
    entry("a NUL byte", b"mine: {hub: a/b}\0", "not valid YAML", "#x0000"),
    Row(
        "registry: named and not there",
        "models",
        ("MEANINGS_MODELS='none.yaml'", "or unset it"),
        {},
        {"MEANINGS_MODELS": "none.yaml"},
    ),
    Row(
        "data: named and not there",
        "study",
        ("MEANINGS_DATA='none' is not a folder", "or unset it"),
        {},
        {"MEANINGS_DATA": "none"},
    ),
    Row(
        "registry: a root that is not there",
        "checkpoints mine",
        ("none", "as `root` in models.yaml"),
        {"models.yaml": "mine: {folders: ['{step}'], root: none, seen: [en]}"},
    ),
    run("empty", "", "cannot be read as JSON"),
    run("cut off", '{"model": "m", "check', "cannot be read as JSON"),
    run("no UTF-8", b'{"model": "\xff"}', "cannot be read as JSON"),
    run("a list", "[]", "expected model, training_seed and checkpoints"),
    run("nested deep", "[" * 100_000, "cannot be read as JSON"),
    run(
        "without checkpoints",
        {"checkpoints": []},
        "checkpoints must be listed once each",
        "found none",
    ),
    run(
        "out of order",
        {"checkpoints": [{"step": s, "tokens": 0, "folder": "step-000020"} for s in (20, 10)]},
        "in order of their steps",
        "20, 10",
    ),
    run(
        "a step without end",
        {"checkpoints": [{"step": float("inf"), "tokens": 0, "folder": "step-000020"}]},
        "expected model, training_seed",
    ),
    run(
        "a folder that is not there",
        {"checkpoints": [{"step": 20, "tokens": 0, "folder": "step-20"}]},
        "'step-20', which does not exist",
    ),
    run(
        "a folder with a NUL",
        {"checkpoints": [{"step": 20, "tokens": 0, "folder": "a\0b"}]},
        r"a\x00b",
        "which does not exist",
    ),
    run("a number for the tokenizer", {"tokenizer": 3}, "tokenizer", "expected"),
    run("a text for the languages", {"languages": "en"}, "expected model, training_seed"),
    run("a text for the seen", {"seen": "en"}, "seen", "expected"),
    weights(
        "without weights",
        lambda f: (f / "model.safetensors").unlink(),
        "no *.safetensors weights",
        "convert the weights to safetensors",
    ),
    weights("with pickled weights", pickled, "no *.safetensors weights", "can run code"),
    weights(
        "cut off",
        lambda f: truncated(f / "model.safetensors"),
        "the model cannot be read: SafetensorError",
        "fetch config.json and weights again",
    ),
    weights(
        "empty",
        lambda f: (f / "model.safetensors").write_bytes(b""),
        "the model cannot be read: SafetensorError",
        "fetch config.json and weights again",
    ),
    weights(
        "with a header of a terabyte",
        lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 64),
        "the model cannot be read: SafetensorError",
        "fetch config.json and weights again",
    ),
    weights(
        "of no number",
        lambda f: reweighted(f, lambda t: t["model.norm.weight"].fill_(torch.nan)),
        "NaN or infinity",
        "dtype",
    ),
    weights(
        "lacks a tensor",
        lambda f: reweighted(f, lambda t: t.pop("model.norm.weight")),
        "model.norm.weight",
        "does not belong to config.json",
    ),
    weights(
        "of another shape",
        lambda f: changed(f / "config.json", lambda c: c.update(hidden_size=32)),
        "misshape",
        "does not belong to config.json",
    ),
    weights(
        "of more layers",
        lambda f: changed(f / "config.json", lambda c: c.update(num_hidden_layers=4)),
        "does not belong to config.json",
    ),
    weights("without config", lambda f: (f / "config.json").unlink(), "config.json"),
    weights(
        "with a damaged config",
        lambda f: truncated(f / "config.json"),
        "the model cannot be read",
        "JSON",
    ),
    weights(
        "of an unknown kind",
        lambda f: changed(
            f / "config.json", lambda c: c.update(model_type="nix", architectures=["Nix"])
        ),
        "nix",
    ),
    weights(
        "with code of its own",
        lambda f: changed(
            f / "config.json", lambda c: c.update(model_type="nix", auto_map={"AutoConfig": "m.C"})
        ),
        "the model cannot be read",
    ),
    weights(
        "a link to itself",
        lambda f: loop(f / "model.safetensors"),
        "model.safetensors",
        "cannot be read",
    ),
    weights(
        "a folder for weights",
        lambda f: folder_instead(f / "model.safetensors"),
        "model.safetensors",
        "cannot be read",
    ),
    words("missing", shutil.rmtree, "no tokenizer.json", "give the tokenizer's folder"),
    words(
        "without tokenizer.json",
        lambda f: (f / "tokenizer.json").unlink(),
        "no tokenizer.json",
        "give the tokenizer's folder",
    ),
    words("cut off", lambda f: truncated(f / "tokenizer.json"), "the tokenizer cannot be read"),
    words("empty", lambda f: (f / "tokenizer.json").write_text(""), "the tokenizer cannot be read"),
    words(
        "of other JSON",
        lambda f: (f / "tokenizer.json").write_text("{}"),
        "the tokenizer cannot be read",
    ),
    words(
        "too large",
        lambda f: changed(
            f / "tokenizer.json",
            lambda c: c["added_tokens"].append(
                c["added_tokens"][0] | {"id": 700, "content": "<more>"}
            ),
        ),
        "701 tokens",
        "do not belong together",
    ),
    words("a link to itself", loop, "no tokenizer.json", "give the tokenizer's folder"),
    words(
        "a folder for tokenizer.json",
        lambda f: folder_instead(f / "tokenizer.json"),
        "no tokenizer.json",
        "give the tokenizer's folder",
    ),
    result("cut off", truncated, "1 of 2 cells", "run 'meanings study'"),
    result("empty", lambda file: file.write_bytes(b""), "1 of 2 cells", "run 'meanings study'"),
    result("a folder", folder_instead, "not a result file of a cell", "delete it"),
    result("a link to itself", loop, "not a result file of a cell", "delete it"),
    result("overwritten in the middle", overwritten, "not a result file of a cell", "delete it"),
    result(
        "a foreign table",
        lambda file: pq.write_table(pa.table({"x": [1]}), file),
        "not a result file of a cell",
        "delete it",
    ),
    result(
        "metadata that is no JSON",
        lambda file: pq.write_table(
            pq.read_table(file).replace_schema_metadata({METADATA: b"\xff{"}), file
        ),
        "not a result file of a cell",
        "delete it",
    ),
    result(
        "metadata without the cell",
        lambda file: rewritten(file, lambda t, c: (c.pop("cell"), t)[1]),
        "not a result file of a cell",
        "delete it",
    ),
    result(
        "metadata without a field",
        lambda file: rewritten(file, lambda t, c: (c["cell"].pop("pair"), t)[1]),
        "not a result file of a cell",
        "delete it",
    ),
    result(
        "metadata of another cell",
        lambda file: rewritten(file, lambda t, c: (c["cell"].update(step=3), t)[1]),
        "not a result file of a cell",
        "delete it",
    ),
    result(
        "metadata without provenance",
        lambda file: rewritten(file, lambda t, c: (c.update(provenance=3), t)[1]),
        "not a result file of a cell",
        "delete it",
    ),
    result(
        "a column is missing",
        lambda file: rewritten(file, lambda t, c: t.drop_columns(["p_source"])),
        "lacks column p_source",
        "delete it",
    ),
    result(
        "a column of another type",
        lambda file: rewritten(
            file,
            lambda t, c: t.set_column(
                t.column_names.index("p_source"), "p_source", pa.array(["x"] * len(t))
            ),
        ),
        "p_source",
        "delete it",
    ),
    result(
        "another cell's file under its name",
        lambda file: shutil.copy(sorted(file.parents[1].rglob("*.parquet"))[1], file),
        "delete it",
    ),
    result(
        "none there",
        lambda file: shutil.rmtree(file.parents[1]),
        "2 of 2 cells",
        "run 'meanings study'",
    ),
    slurm("empty", "", "field 'jobs' is missing", "one job each"),
    slurm("unknown field", SLURM + "partition: gpu", "partition", "allowed are jobs"),
    slurm("no jobs", SLURM.replace("2", "0"), "jobs", "greater than or equal to 1"),
    slurm("an unquoted time", "jobs: 2\nwalltime: 1:00:00", "walltime", "valid string"),
    slurm("no memory", SLURM + "memory: much", "memory", "pattern"),
    slurm("a command in the queue", SLURM + 'queue: "gpu\\ntouch ran"', "queue", "pattern"),
    slurm("an interface that is not there", SLURM + "interface: none0", "interface", "'none0'"),
    slurm("where there is no Slurm", SLURM, "sbatch", "--scheduler"),
    Row(
        "slurm: not there",
        "study good.yaml --slurm none.yaml",
        ("none.yaml: cannot be read", "expected a YAML file"),
        {"good.yaml": GRID},
    ),
    option("studie", "No such command 'studie'", "--help"),
    Row(
        "option: a file name that colours the terminal",
        ["study", "\x1b[31mred.yaml"],
        (r"\x1b[31mred.yaml: cannot be read", "expected a YAML file"),
    ),
    option("study --dry", "No such option: --dry", "--dry-run"),
    option("study good.yaml extra.yaml", "extra.yaml", "--help"),
    option("study --local-workers many", "'--local-workers'", "valid integer"),
    option("study --out", "'--out' requires an argument"),
    option("chapter", "Missing argument 'name'", "--help"),
    option("checkpoints", "Missing argument 'model'", "--help"),
    option("study good.yaml --shard 0/2", "--shard '0/2'", "i from 1 to n"),
    option("study good.yaml --shard 3/2", "--shard '3/2'", "i from 1 to n"),
    option("study good.yaml --shard ٢/٣", "--shard '٢/٣'", "i from 1 to n"),
    option(f"study good.yaml --shard 1/{DIGITS}", "--shard '1/9", "i from 1 to n"),
    option("study good.yaml --device abacus", "device 'abacus'", "allowed are auto, cpu"),
    option("study good.yaml --device meta", "device 'meta'", "allowed are auto, cpu"),
    option(
        "study good.yaml --device cuda:99999999999",
        "device 'cuda:99999999999'",
        "allowed are auto, cpu",
    ),
    option("study good.yaml --device cpu:x", "device 'cpu:x'", "allowed are auto, cpu"),
    option("study good.yaml --local-workers 0", "0 local workers", "1 or more"),
    option(
        "study good.yaml --local-workers 2 --scheduler tcp://x:1",
        "exclude each other",
        "give one of them",
    ),
    option(
        "study good.yaml --scheduler nonsense://x:1",
        "no scheduler answers at 'nonsense://x:1'",
        "tcp://host:8786",
    ),
    option("study good.yaml --lexicon .", ".: a folder with 0 files", "or a word list in CSV"),
    option(f"study good.yaml --lexicon {'x' * 5000}", "too long", "name"),
    option(
        "study good.yaml --out good.yaml",
        "good.yaml: a cell cannot be written",
        "choose another folder",
    ),
    option("checkpoints miniature --rule 1", "1", "ask for 2 or more"),
    option(f"checkpoints miniature --rule {DIGITS}", "is not understood", "allowed are all"),
    option("checkpoints miniature --rule every", "'every' is not understood", "allowed are all"),
    option("checkpoints miniature --seed 9", "training seed 9", "miniature seed-0"),
    option("publish ../trial good.yaml", "table name '../trial'", "lower case letters"),
    option("publish /tmp/trial good.yaml", "table name '/tmp/trial'", "lower case letters"),
    option("publish .. --everything", "table name '..'", "lower case letters"),
    option(f"publish {'x' * 300} --everything", "table name", "at most 64"),
    option("publish trial --everything", "no results", "run 'meanings study' first"),
    option("publish trial none.yaml", "none.yaml: cannot be read", "expected a YAML file"),
    option("lexicon check --against none.csv", "'none.csv': no such file", "expected 'embedded'"),
    option("lexicon build --package none.tgz", "concepts.csv: no such file", "expected a CSV"),
    option("miniature train --seed -1", "--seed -1", "0 or more"),
    option(
        "miniature train", "mix.yaml: no such file", "the default one is data/miniature/mix.yaml"
    ),
    option("miniature report", "published table", "there are none"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A data folder, and results of the good grid beside it."""
    folder = tmp_path_factory.mktemp("world")
    make_world(folder / "data")
    (folder / "grid.yaml").write_text(GRID)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_DATA", str(folder / "data"))
        patch.setattr(
            sys,
            "argv",
            [
                "meanings",
                "study",
                str(folder / "grid.yaml"),
                "--out",
                str(folder / "results"),
                "--quiet",
            ],
        )
        with pytest.raises(SystemExit) as end:
            main.main()
        assert end.value.code == 0
    return folder


def content_of(folder: Path) -> dict[str, object]:
    """All that lies below a folder: kind, size, time of the last change, and where links lead."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        found[str(path.relative_to(folder))] = (
            state.st_mode,
            state.st_size,
            state.st_mtime_ns,
            path.is_symlink() and os.readlink(path),
        )
    return found


def prepare(row: Row, folder: Path) -> None:
    for name, content in row.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def arguments(row: Row) -> list[str]:
    return row.command if isinstance(row.command, list) else row.command.split()


def test_there_are_many_rows_and_each_has_a_name_of_its_own():
    assert len({row.name for row in ROWS}) == len(ROWS) >= 60
    assert set(LANGUAGES) == {"en", "fr", "de", "es", "pl"}


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_bad_input_is_one_line_and_nothing_is_written(row, world, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MEANINGS_DATA", str(world / "data"))
    monkeypatch.setenv(
        "MEANINGS_MODELS", ""
    )  # the command sets it for its notebooks: put back afterwards, also where it was not set
    monkeypatch.chdir(tmp_path)
    prepare(row, tmp_path)
    for name, value in row.environment.items():
        monkeypatch.setenv(name, value)
    before = content_of(tmp_path), content_of(world)
    capfd.readouterr()
    monkeypatch.setattr(sys, "argv", ["meanings", *arguments(row)])
    with pytest.raises(SystemExit) as end:
        main.main()
    out, err = capfd.readouterr()
    refused(row, end.value.code, out, err)
    assert (content_of(tmp_path), content_of(world)) == before


def refused(row: Row, code: int, out: str, err: str) -> None:
    assert code == 2 and out == "", (code, out)
    assert re.fullmatch(r"error: [^\n]+\n", err) and "Traceback" not in err, err
    assert all(c.isprintable() for c in err.rstrip("\n")) and len(err) < 5000
    assert all(words in err for words in row.said), err


@pytest.mark.parametrize("name", ["option: study --dry", "model: checkpoint cut off"])
def test_a_shell_sees_the_same(name, world, tmp_path, monkeypatch):
    (row,) = [row for row in ROWS if row.name == name]
    monkeypatch.setenv("MEANINGS_DATA", str(world / "data"))
    prepare(row, tmp_path)
    before = content_of(tmp_path)
    # A slow machine would have it say what it is doing.
    quiet = ["--quiet"] if row.name.startswith("model: ") else []
    done = subprocess.run(
        [sys.executable, "-m", "meanings.cli.main", *arguments(row), *quiet],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    refused(row, done.returncode, done.stdout, done.stderr)
    assert content_of(tmp_path) == before
