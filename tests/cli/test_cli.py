import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from meanings.cli import main
from meanings.core import formatting
from meanings.core.paths import data_folder
from meanings.measures.cell_files import finished
from stand_ins.study_data import make_world

GRID = """
checkpoints: 3
pairs: [fr-es]
conditions: [seen, tgt_unpatched]
n_pairs: 4
shots: 1
generate: 2
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    make_world(folder / "data")
    (folder / "grid.yaml").write_text(GRID)
    return folder


@pytest.fixture
def meanings(world, tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder; exit code, standard output and standard error."""
    monkeypatch.setenv("MEANINGS_DATA", str(world / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["meanings", *map(str, arguments)])
        try:
            main.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_study_is_planned_run_finished_and_published(meanings, world, tmp_path):
    grid = world / "grid.yaml"
    code, out, _ = meanings("study", grid, "--dry-run")
    assert code == 0 and out.count("miniature seed 0 step") == 6
    assert re.search(
        r"^6 cells, 0 finished, 6 to measure, (about )?\d+ s.* "
        r"\(from a trial of 4 concept pairs at .*\)$",
        out,
        re.MULTILINE,
    ) and not list(tmp_path.iterdir())
    code, _, err = meanings("publish", "trial", grid)
    assert (
        code == 2 and f"6 of 6 cells of {grid} are not in" in err and not list(tmp_path.iterdir())
    )
    code, out, _ = meanings("study", grid)
    assert code == 0 and "6 cells in _build/results, 6 of them new" in out
    assert len(finished(tmp_path / "_build" / "results")) == 6
    code, out, err = meanings("study", grid, "--quiet")
    assert (code, err) == (0, "") and "0 of them new" in out
    more = world / "more.yaml"
    more.write_text(grid.read_text().replace("fr-es", "es-fr"))
    code, _, err = meanings("publish", "trial", grid, more)
    assert code == 2 and f"cells of {more} are not in" in err
    code, out, _ = meanings("publish", "trial", grid, grid)
    assert code == 0 and (world / "data" / "published" / "trial.parquet").is_file() and "MiB" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "none.yaml"], "none.yaml: cannot be read"),
        (["study", "bad.yaml"], "bad.yaml: unknown parameter 'pair'; allowed are model"),
        (["study", "no.yaml"], r"pairs\[0\]=False is refused"),
        (["study", "zulu.yaml"], "unknown language 'zu'"),
        (["study", "good.yaml", "--device", "abacus"], "device 'abacus'"),
        (["publish", "Nice Name", "--everything"], "table name 'Nice Name'"),
        (["publish", "nice", "--everything"], "no results; run 'meanings study' first"),
        (["chapter", "emergency"], "no chapter 'emergency'.*emergence"),
        (["chapter", "emergence", "pairs=fr-es"], "unknown parameter 'pairs'; allowed are model"),
        (["chapter", "emergence", "pair=fr-zu"], "unknown language 'zu'"),
        (["chapter", "emergence", "pair=fr-zh"], "lacks language 'zh'"),
        (["chapter", "emergence", "prompt_seed=one"], "prompt_seed='one' is not a whole number"),
        (["chapter", "method", "pair=fr-es", "step=11"], "no checkpoint at step 11"),
        (["lexicon", "build"], "concepts.csv"),
        (["lexicon", "build", "--package", "none.tgz"], "concepts.csv"),
        (["miniature", "train", "--seed", "-1"], "a seed is 0 or more"),
        (["validity", "false-positives", "--shuffles", "0"], "--shuffles 0: at least 1 is needed"),
        (["validity", "known-truth", "--world", "w", "--layers", "0"], "layer"),
    ],
)
def test_a_bad_input_is_one_clear_line_and_nothing_is_written(
    meanings, world, tmp_path, arguments, message
):
    inputs = {
        "bad.yaml": "pair: [fr-es]",
        "no.yaml": "pairs: [no]",
        "good.yaml": GRID,
        "zulu.yaml": "pairs: [fr-zu]",
    }
    for name, content in inputs.items():
        (tmp_path / name).write_text(content)
    before = sorted(world.rglob("*"))
    code, out, err = meanings(*arguments)
    assert code == 2 and re.search(message, err), err
    assert err.startswith("error: ") and err.count("\n") == 1 and out == ""
    assert (
        sorted(path.name for path in tmp_path.rglob("*")) == sorted(inputs)
        and sorted(world.rglob("*")) == before
    )


def test_an_unknown_command_or_option_exits_2(meanings, tmp_path):
    for arguments in (["studie"], ["study", "--dry"], ["lexicon"]):
        assert meanings(*arguments)[0] == 2
    assert meanings("--help")[0] == 0 and not list(tmp_path.iterdir())


def test_every_command_says_what_it_does():
    groups = [get_command(main.app)]
    assert len(groups[0].commands) == 21
    while groups:
        for name, command in groups.pop().commands.items():
            assert command.help, name
            groups += [command] if hasattr(command, "commands") else []


def test_an_older_name_of_a_command_keeps_working():
    commands = get_command(main.app).commands
    assert commands["reach"].hidden and not commands["recovery"].hidden
    assert commands["reach"].callback.__wrapped__ is commands["recovery"].callback.__wrapped__


def test_a_constructed_run_is_written(meanings, tmp_path):
    code, out, _ = meanings("validity", "known-truth", "--world", "made", "--layers", "5")
    assert code == 0 and out == "made\n" and (tmp_path / "made" / "trajectory.json").is_file()
    code, _, err = meanings("validity", "known-truth", "--world", "made")
    assert code == 2 and "exists already and is not empty" in err


def test_the_shipped_lexicon_is_checked(meanings, monkeypatch, tmp_path):
    monkeypatch.delenv("MEANINGS_DATA")
    code, out, _ = meanings("lexicon", "check", "--json")
    figures = json.loads(out)
    assert (
        code == 0
        and figures["concepts"] >= 500
        and figures["homograph_pairs"] >= 40
        and figures["polysemous_words"] >= 40
    )
    reference = tmp_path / "reference.csv"
    reference.write_text(
        "ID,PoS,ENG 1,ENG 2,FRA 1,FRA "
        "2\n1,nouns,cat,dog,chat,perro\n2,nouns,poison,owl,poison,hibou\n"
    )
    code, out, _ = meanings("lexicon", "check", "--against", reference)
    assert code == 0 and "fr dog: chien" in out and "/ perro" in out
    code, out, _ = meanings("lexicon", "check", "--against", reference, "--json")
    assert json.loads(out)["agreement"][-1]["language"] == "all"
    code, _, err = meanings("lexicon", "check", "--against", tmp_path / "none.csv")
    assert code == 2 and "no such file" in err


def test_a_lexicon_that_is_not_what_its_tables_make_is_refused_and_rebuilt(
    meanings, monkeypatch, tmp_path
):
    monkeypatch.delenv("MEANINGS_DATA")
    shutil.copytree(data_folder() / "lexicon", tmp_path / "data" / "lexicon")
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path / "data"))
    file = tmp_path / "data" / "lexicon" / "lexicon.csv"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"skull|cranium", b"skull", 1))
    code, _, err = meanings("lexicon", "check")
    assert (
        code == 2
        and "lexicon.csv does not match its source tables; run 'meanings lexicon build'" in err
    )
    assert meanings("lexicon", "build")[0] == 0 and file.read_bytes() == whole


def test_the_parameters_of_a_chapter_are_listed(meanings):
    code, out, _ = meanings("chapter", "emergence", "--parameters")
    assert code == 0 and "pair=" in out and "prompt_seed=42" in out


def test_a_chapters_grid_has_its_pairs_and_the_steps_it_looks_at(world, monkeypatch):
    from meanings.book.chapter_parameters import grid_of
    from meanings.book.chapters import parse_assignments

    monkeypatch.setenv("MEANINGS_DATA", str(world / "data"))
    curve = grid_of(
        parse_assignments("emergence", ["pair=fr-es,es-fr", "prompt_seed=1", "checkpoints=2"])
    )
    assert (curve.pairs, curve.prompt_seeds, curve.checkpoints, curve.steps) == (
        ("fr-es", "es-fr"),
        (1,),
        2,
        (),
    )
    last = grid_of(parse_assignments("error_analysis", ["pair=fr-es"]))
    assert last.steps == (20,)


def test_durations_are_said_as_people_say_them():
    assert [formatting.duration(s) for s in (4.4, 600.0, 9000.0)] == ["4 s", "10 min", "2.5 h"]


def test_the_models_that_ship_are_listed_first(meanings):
    code, out, err = meanings("models")
    names = [line for line in out.splitlines() if line and line[0] != " "]
    assert code == 0 and names[:2] == ["miniature", "eurollm-1.7b"], err
    assert "at          here, training seed 0" in out and "3 checkpoints, steps 0 to 20" in out
    assert "at          UCLNLP/monoweb/ckpt_exp_en_fr_monoweb" in out


def test_the_command_is_installed():
    command = Path(sys.executable).with_name("meanings")
    if not command.exists():
        pytest.skip("the package is not installed in this environment")
    run = subprocess.run(
        [command, "lexicon", "check", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout)["languages"] == 13


def test_prompts_are_written_studied_and_exported(meanings, world, tmp_path):
    code, out, err = meanings(
        "prompts", "write", "p.json", world / "grid.yaml", "--models", "miniature"
    )
    assert code == 0 and out.startswith(
        "p.json: 4 concept pairs for each of 1 seeds, eligible for miniature; 0 concepts left out"
    ), err
    (tmp_path / "grid.yaml").write_text(GRID + "prompts: p.json\n")
    code, _, err = meanings("export", "set", "grid.yaml")
    assert (
        code == 2
        and "run 'meanings study' with it first" in err
        and not (tmp_path / "set").exists()
    )
    assert meanings("study", "grid.yaml", "--quiet")[0] == 0
    code, out, _ = meanings("export", "set", "grid.yaml", "--licence", "mit")
    assert (
        code == 0
        and "1 Parquet file and README.md" in out
        and "license: mit" in (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    )
    assert (
        meanings("export", "csv", "grid.yaml", "--format", "csv")[0] == 0
        and (tmp_path / "csv" / "results.csv").is_file()
    )
    code, _, err = meanings("export", "x", "grid.yaml", "--published", "miniature")
    assert code == 2 and "give one of them" in err
    code, _, err = meanings(
        "prompts", "write", "q.json", world / "grid.yaml", "--models", "miniature,nobody"
    )
    assert (
        code == 2
        and err.count("\n") == 1
        and "nobody" in err
        and not (tmp_path / "q.json").exists()
    )


def test_a_warning_is_one_line_that_names_no_code(tmp_path):
    (tmp_path / "words.csv").write_text("concept,en,fr,no\x07te\ncat,cat,chat,x\n")
    run = subprocess.run(
        [sys.executable, "-m", "meanings.cli.main", "lexicon", "check", "--against", "words.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 and len(run.stderr.splitlines()) == 1
    assert re.match(r"warning: word list words.csv: columns .* left out; languages", run.stderr)
    assert run.stderr.rstrip("\n").isprintable() and ".py" not in run.stderr
