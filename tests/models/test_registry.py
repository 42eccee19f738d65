"""Models by name: what the registry says, a user's own entries, and the rules that thin a run
out.
"""

import pytest

from meanings.core.errors import MeaningsError
from meanings.models.checkpoint import Checkpoint
from meanings.models.checkpoints import trajectory
from meanings.models.registry import compiled, registry
from meanings.models.subsampling import parse_rule
from meanings.models.trajectories import Trajectory
from stand_ins import small_model


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write the user's registry."""

    def write(text: str):
        (tmp_path / "models.yaml").write_text(text)
        monkeypatch.setenv("MEANINGS_MODELS", str(tmp_path / "models.yaml"))
        return tmp_path

    return write


def test_the_papers_models_are_there():
    known = registry()
    assert {
        "eurollm-1.7b",
        "olmo-2-7b",
        "apertus-8b",
        "bloom-560m",
        "bloom-1b1",
        "bloom-7b1",
        "lucie-7b",
        "gemma-3-270m",
    } <= set(known)
    assert any(name.startswith("pythia") for name in known)
    assert (
        known["bloom-1b1"].hub == "bigscience/bloom-1b1-intermediate"
        and known["bloom-1b1"].seen == known["bloom-560m"].seen
    )
    assert (
        not {"cy", "sw"} & set(known["eurollm-1.7b"].languages)
        and "yue" in known["eurollm-1.7b"].languages
    )


def test_the_bilingual_models_are_folders_of_one_repository():
    known = {name: entry for name, entry in registry().items() if name.startswith("monoweb-")}
    assert len(known) == 12 and {entry.hub for entry in known.values()} == {"UCLNLP/monoweb"}
    for name, entry in known.items():
        _, english, other, kind = name.split("-")
        assert entry.languages == (english, other) == ("en", other)
        assert entry.subfolders == f"ckpt_exp_en_{other}_{kind}/iter_{{step}}"
        assert compiled(entry.subfolders).fullmatch(f"ckpt_exp_en_{other}_{kind}/iter_0002000")
        assert entry.place == f"UCLNLP/monoweb/ckpt_exp_en_{other}_{kind}"
        assert round(34_000 * entry.tokens_per_step / 1e9) == 143
    assert {name.split("-")[2] for name in known} == {"de", "es", "fr"}
    assert registry()["minilingua-1b"].languages == ("en", "de", "es", "fr", "it", "pl", "fi")


@pytest.mark.parametrize(
    ("model", "name", "step", "billions"),
    [
        ("olmo-2-7b", "stage1-step150-tokens1B", "150", "1"),
        ("apertus-8b", "step50000-tokens210B", "50000", "210"),
        ("bloom-560m", "global_step1000", "1000", None),
        ("pythia-160m", "step512", "512", None),
    ],
)
def test_revision_names_tell_step_and_tokens(model, name, step, billions):
    said = compiled(registry()[model].revisions).fullmatch(name)
    assert said["step"] == step and said.groupdict().get("billions") == billions
    assert not compiled(registry()[model].revisions).fullmatch("stage2-" + name)


def test_a_user_adds_a_model_and_starts_from_a_shipped_one(own):
    own(
        "mine: {hub: me/mine, revisions: 'at-{step}', seen: [en, fr]}\nbloom-560m: {like: "
        "bloom-560m, subsample: 4 spread}\n"
    )
    known = registry()
    assert known["mine"].languages == ("en", "fr") and known["mine"].subsample == "all"
    assert (
        known["bloom-560m"].subsample == "4 spread"
        and known["bloom-560m"].hub == "bigscience/bloom-560m-intermediate"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mine: 3", "mine: expected lines `field: value`"),
        ("mine: {hub: me/mine}", "mine: field 'seen' is missing (codes of languages"),
        (
            "mine: {hub: me/mine, seen: [xx]}",
            "mine: seen=['xx'] is refused: unknown language 'xx'; known codes are en,",
        ),
        ("mine: {hub: mine, seen: [en]}", "mine: hub='mine' is refused"),
        ("mine: {hub: ../../etc, seen: [en]}", "mine: hub='../../etc' is refused"),
        ("mine: {seen: [en]}", "mine: give either `hub` or `folders`"),
        (
            "mine: {hub: a/b, folders: ['x{step}'], seen: [en]}",
            "mine: give either `hub` or `folders`",
        ),
        ("mine: {hub: a/b, root: x, seen: [en]}", "mine: `root` goes with `folders`"),
        ("mine: {hub: a/b, seen: [en], revisions: step}", "needs {step} once"),
        ("mine: {hub: a/b, seen: [en], subfolders: a/b}", "needs {step} once"),
        (
            "mine: {hub: a/b, seen: [en], subfolders: 'a/{step}', revisions: 's{step}'}",
            "`subfolders` goes with `hub`, and without `revisions`",
        ),
        (
            "mine: {folders: ['x{step}'], seen: [en], subfolders: 'a/{step}'}",
            "`subfolders` goes with `hub`",
        ),
        ("mine: {hub: a/b, seen: [en], revisions: '{step}{step}'}", "needs {step} once"),
        ("mine: {hub: a/b, seen: [en], revisions: '{step}{x}'}", "needs {step} once"),
        (
            "mine: {hub: a/b, seen: [en], subsample: some}",
            "subsampling 'some': 'some' is not understood",
        ),
        ("mine: {hub: a/b, seen: [en], tokens: many}", "tokens='many' is refused"),
        ("mine: {hub: a/b, seen: [en], tokens: -1}", "tokens=-1 is refused"),
        (
            "mine: {hub: a/b, seen: [en], revision: x}",
            "unknown field 'revision'; allowed are like, hub,",
        ),
        (
            "mine: {like: nix, seen: [en]}",
            "like='nix' is no shipped model; allowed are eurollm-1.7b",
        ),
        ("../mine: {hub: a/b, seen: [en]}", "a model's name has lower case letters"),
        ("7: {hub: a/b, seen: [en]}", "a model's name has lower case letters"),
        ("mine: {hub: a/b, seen: [en]}\nmine: {hub: a/c, seen: [en]}", "'mine' occurs twice"),
        ("- mine", "expected lines `name: value`"),
        ("mine: [", "not valid YAML"),
    ],
)
def test_a_bad_entry_names_file_entry_field_and_cure(own, text, message):
    own(text)
    with pytest.raises(MeaningsError) as error:
        registry()
    assert (
        message in str(error.value)
        and "models.yaml" in str(error.value)
        and "\n" not in str(error.value)
    )


def test_a_registry_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setenv("MEANINGS_MODELS", "nowhere.yaml")
    with pytest.raises(MeaningsError, match="MEANINGS_MODELS='nowhere.yaml' is not a file"):
        registry()


def test_steps_of_a_second_phase_go_on_after_the_first(own, tokenizer):
    root = own("eurollm-1.7b: {like: eurollm-1.7b, root: %s}" % (own("{}") / "runs"))
    for place in (
        "train_annealing_megatronlm/iter_4000",
        "train_annealing_megatronlm/iter_20000",
        "train_annealing_megatronlm/iter_8000",
    ):
        (root / "runs" / place).mkdir(parents=True)
    with pytest.raises(
        MeaningsError, match="second_phase_annealing_more_multilingual_fw cannot be listed"
    ):
        trajectory("eurollm-1.7b")
    second = root / "runs" / "second_phase_annealing_more_multilingual_fw"
    (second / "logs").mkdir(parents=True)
    with pytest.raises(MeaningsError, match="holds no folder named like 'iter_{step}'"):
        trajectory("eurollm-1.7b")
    small_model.network(tokenizer).save_pretrained(second / "iter_1000")
    tokenizer.save_pretrained(second / "iter_1000")
    run = trajectory("eurollm-1.7b")
    assert run.steps == (4000, 8000, 20000, 21000) and run.last.tokens == 21000 * 3072 * 4096
    assert (
        run.last.path == second / "iter_1000"
        and run.last.is_here
        and not run.checkpoints[0].is_here
    )
    assert run.last.load(device="cpu").name == "eurollm-1.7b" and run.rule.startswith("first 10")


def test_a_model_whose_folders_are_nowhere_says_how_to_name_them():
    with pytest.raises(
        MeaningsError, match="in a file models.yaml write 'eurollm-1.7b: {like: eurollm-1.7b, root:"
    ):
        trajectory("eurollm-1.7b")


def counted(n):
    return Trajectory("m", 0, tuple(Checkpoint("m", 0, 10 * i, 0) for i in range(n)))


@pytest.mark.parametrize(
    ("model", "indices"),
    [
        ("eurollm-1.7b", [*range(10), *range(10, 20, 2), 20, 25, 30, 35, 40, 43]),
        ("olmo-2-7b", [*range(10), *range(10, 20, 2), 20, 40, 43]),
        ("apertus-8b", [*range(10), *range(10, 20, 2), 20, 25, 30, 40, 43]),
        ("bloom-560m", [*range(44)]),
    ],
)
def test_the_papers_subsampling(model, indices):
    assert counted(44).thin(registry()[model].subsample).steps == tuple(10 * i for i in indices)


@pytest.mark.parametrize(
    ("rule", "steps", "kept"),
    [
        ("all", range(3), [0, 1, 2]),
        ("first 2, then every 3rd", range(9), [0, 1, 3, 6]),
        ("First 2, every 3rd,  and the last", range(9), [0, 1, 3, 6, 8]),
        ("every 4th to 5", range(9), [0, 4]),
        ("3 spread", range(9), [0, 4, 8]),
        ("4 log-spaced", [0, 1, 2, 4, 8, 16, 32, 64], [0, 1, 4, 7]),
        ("3 log-spaced", [1, 10, 20, 30, 100], [0, 1, 4]),
        ("9 log-spaced", [0, 5, 6], [0, 1, 2]),
    ],
)
def test_rules(rule, steps, kept):
    assert parse_rule(rule)(list(steps)) == kept


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "some",
        "1 spread",
        "0 log-spaced",
        "first ten",
        "first 10, then first 5",
        "every 0th",
        "first 0, then every 2nd",
        "every 2nd, every 3rd",
    ],
)
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(MeaningsError, match="subsampling"):
        parse_rule(rule)


def test_the_default_is_the_models_own_rule():
    run = Trajectory("m", 0, counted(12).checkpoints, rule="first 2, then every 5th")
    assert run.thin("default").steps == (0, 10, 50, 100)
    assert counted(12).thin("default").steps == counted(12).steps
