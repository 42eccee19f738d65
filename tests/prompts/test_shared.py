import json
import shutil
from dataclasses import replace

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from meanings.core.errors import MeaningsError
from meanings.measures.results import provenance_of, read_cells
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.draws import ConceptPairDraws
from meanings.prompts.prompt import merged_query_words
from meanings.prompts.shared import read_prompts
from meanings.prompts.writing import write_prompts
from meanings.study.grid import Grid, check_grid
from meanings.study.plan import plan_study
from meanings.study.recompute import recompute
from meanings.study.run import run_study
from stand_ins.study_data import make_world

GRID = Grid(
    steps=(20,),
    pairs=("fr-es",),
    conditions=("seen", "tgt_unpatched"),
    n_pairs=4,
    shots=2,
    generate=0,
)
SETTINGS = {"template": "quoted", "shots": 2, "n_pairs": 4, "seeds": (42, 7), "pairs": ("fr-es",)}


def characters() -> PreTrainedTokenizerFast:
    """A tokenizer without merges: one token a byte, so that few concepts have first tokens of their
    own.
    """
    vocabulary = {
        token: i for i, token in enumerate(["<s>", *sorted(pre_tokenizers.ByteLevel.alphabet())])
    }
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two models of the same words: the miniature, and `other`, whose tokenizer is `characters`."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        make_world(folder / "data")
        shutil.copytree(folder / "data" / "miniature", folder / "data" / "other")
        run = folder / "data" / "other" / "seed-0"
        content = json.loads((run / "trajectory.json").read_text()) | {"model": "other"}
        (run / "trajectory.json").write_text(json.dumps(content))
        shutil.rmtree(run / "tokenizer")
        characters().save_pretrained(run / "tokenizer")
        patch.setenv("MEANINGS_DATA", str(folder / "data"))
        yield folder


@pytest.fixture(scope="module")
def lexicon(world):
    return check_grid(GRID).lexicon


@pytest.fixture(scope="module")
def tokenizers(world):
    return {
        name: check_grid(GRID.model_copy(update={"model": name}))
        .trajectories[0]
        .last.load()
        .tokenizer
        for name in ("miniature", "other")
    }


@pytest.fixture(scope="module")
def shared(world, lexicon, tokenizers):
    return write_prompts(world / "shared.json", lexicon, tokenizers, **SETTINGS)


def test_under_one_tokenizer_the_draw_is_the_studys_own(world, lexicon, tokenizers):
    for name, tokenizer in tokenizers.items():
        alone = write_prompts(world / f"{name}.json", lexicon, {name: tokenizer}, **SETTINGS)
        assert not alone.left_out
        assert list(alone.draws[7]) == draw_concept_pairs(
            lexicon, tokenizer, lexicon.languages, 4, 2, 7
        )
    assert read_prompts(world / "other.json").draws != read_prompts(world / "miniature.json").draws


def test_a_shared_draw_is_eligible_under_each_tokenizer(shared, lexicon, tokenizers):
    for tokenizer in tokenizers.values():
        tokens = {
            c: first_tokens(
                tokenizer, [w for code in lexicon.languages for w in lexicon.words(c, code)]
            )
            for c in lexicon.concepts
        }
        for pair in (pair for draw in shared.draws.values() for pair in draw):
            assert not tokens[pair.source] & tokens[pair.target] and not tokens[pair.null] & (
                tokens[pair.source] | tokens[pair.target]
            )


def test_two_models_with_different_tokenizers_are_asked_for_the_same_concepts(
    world, shared, tmp_path
):
    asked, drawn = {}, {}
    for name in ("miniature", "other"):
        grid = GRID.model_copy(update={"model": name, "prompts": str(world / "shared.json")})
        run_study(grid, tmp_path / name, progress=False)
        for found, where in ((asked, tmp_path / name), (drawn, tmp_path / "drawn" / name)):
            if found is drawn:
                run_study(GRID.model_copy(update={"model": name}), where, progress=False)
            rows = read_cells(where)
            found[name] = list(
                zip(
                    rows["condition"],
                    rows["first_layer"],
                    rows["source_concept"],
                    rows["target_concept"],
                    rows["null_concept"],
                    strict=True,
                )
            )
        assert set(provenance_of(tmp_path / name)["prompts_sha256"]) == {shared.sha256}
    assert sorted(asked["miniature"]) == sorted(asked["other"]) and sorted(
        drawn["miniature"]
    ) != sorted(drawn["other"])
    wanted = [(pair.source, pair.target, pair.null) for pair in shared.draws[42]]
    assert {row[2:] for row in asked["other"]} == set(wanted)


def test_such_cells_have_keys_of_their_own_and_are_recomputed_with_the_file_only(
    world, shared, tmp_path
):
    grid = GRID.model_copy(update={"prompts": str(world / "shared.json")})
    plan = run_study(grid, tmp_path, progress=False)
    drawn = plan_study(GRID, tmp_path)
    assert len(drawn.missing) == len(plan.cells) and not plan_study(grid, tmp_path).missing
    assert [cell.with_values(prompts_sha256="").key for cell in plan.cells] == list(drawn.keys)
    cell = plan.cells[0]
    with pytest.raises(MeaningsError, match="file of prompts .* that is not given"):
        recompute([cell])
    again = recompute([cell], prompts=shared)[cell.key]
    rows = read_cells(tmp_path, [cell.key])
    assert again["source_concept"].tolist() == rows["source_concept"].astype(str).tolist()
    assert (
        run_study(
            GRID.model_copy(update={"prompts": grid.prompts}), tmp_path / "new", dry_run=True
        ).estimate.high
        > 0
    )


def test_prompts_that_another_tokenizer_makes_ineligible_are_refused_by_name(
    world, lexicon, tokenizers
):
    alone = write_prompts(
        world / "one.json",
        lexicon,
        {"miniature": tokenizers["miniature"]},
        **SETTINGS | {"n_pairs": 40},
    )
    with pytest.raises(
        MeaningsError,
        match=r"seed 42, pair \d+ \(.* into .*\): words of '.*' and '.*' share a first token "
        r"under other's .*--models",
    ):
        alone.check("other", tokenizers["other"], lexicon, 42)
    alone.check("miniature", tokenizers["miniature"], lexicon, 42)


def test_a_query_word_that_another_tokenizer_merges_is_refused_and_left_out_of_a_draw(
    world, lexicon, tokenizers, shared, monkeypatch
):
    concept = shared.draws[42][0].source

    def merged(lexicon, tokenizer, *rest):
        if tokenizer is tokenizers["other"]:
            return {"fr": (concept,)}
        return merged_query_words(lexicon, tokenizer, *rest)

    for module in ("shared", "usable_concepts"):
        monkeypatch.setattr(f"meanings.prompts.{module}.merged_query_words", merged)
    with pytest.raises(
        MeaningsError,
        match=r"pair 0 .*other's tokenizer joins the query word '.*' \(fr\) with what follows, or "
        r"does not know it; "
        r".*--models",
    ):
        shared.check("other", tokenizers["other"], lexicon, 42)
    again = write_prompts(world / "without.json", lexicon, tokenizers, **SETTINGS)
    assert again.left_out == (concept,)
    assert concept not in {
        c
        for d in again.draws.values()
        for p in d
        for c in (p.source, p.target, p.null, *p.source_shots, *p.target_shots)
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shots": 1}, "written with shots=2, the grid has 1; set it to 2"),
        ({"n_pairs": 3}, "written with n_pairs=4, the grid has 3"),
        ({"template": "arrow"}, "written with template='quoted'"),
        ({"prompt_seeds": (42, 1)}, "no draw of seed 1; set prompt_seeds to some of 7, 42"),
        (
            {"languages": ("en", "fr", "es", "de"), "conditions": ("tgt_unpatched",)},
            "another lexicon",
        ),
        ({"prompts": "none.json"}, "cannot be read"),
    ],
)
def test_a_grid_that_does_not_fit_its_prompts_is_refused(world, shared, change, message):
    with pytest.raises(MeaningsError, match=message):
        check_grid(GRID.model_copy(update={"prompts": str(world / "shared.json")} | change))


def edited(content, place, value):
    *path, last = place
    for name in path:
        content = content[name]
    content[last] = value


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("layout",), 2, "layout"),
        (("draws", "42"), [], "0 concept pairs, expected n_pairs=4"),
        (("draws", "42", 1, "null"), 3, r"draws\.42\[1\]\.null=3 is refused"),
        (("draws", "42", 1, "source_shots"), ["cat"], "expected 3 \\+ 2 \\* 2 distinct"),
        (("more",), 1, "more"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_in_one_line(
    world, shared, tmp_path, place, value, message
):
    content = json.loads((world / "shared.json").read_text(encoding="utf-8"))
    edited(content, place, value)
    (tmp_path / "p.json").write_text(json.dumps(content))
    with pytest.raises(MeaningsError, match=message) as refusal:
        read_prompts(tmp_path / "p.json")
    assert "\n" not in str(refusal.value)
    (tmp_path / "p.json").write_bytes(b"\xff{")
    with pytest.raises(MeaningsError, match="write it with 'meanings prompts write'"):
        read_prompts(tmp_path / "p.json")


def test_edited_texts_are_refused_and_the_name_of_the_file_is_no_part_of_its_hash(
    world, shared, lexicon, tokenizers, tmp_path
):
    content = json.loads((world / "shared.json").read_text(encoding="utf-8"))
    texts = content["texts"]["42"]["fr-es"]["source"]
    assert len(texts) == 4 and texts[0].count("\n") == 2 and texts[0].endswith('"')
    texts[0] += "x"
    (tmp_path / "p.json").write_text(json.dumps(content))
    found = read_prompts(tmp_path / "p.json")
    assert found.sha256 == shared.sha256
    with pytest.raises(
        MeaningsError, match="seed 42, fr-es: the texts do not match the concept pairs"
    ):
        found.check("miniature", tokenizers["miniature"], lexicon, 42)


def test_an_unknown_concept_is_refused_by_name(shared, lexicon, tokenizers):
    first = replace(shared.draws[42][0], source="no such concept")
    broken = replace(shared, draws={42: (first, *shared.draws[42][1:])})
    with pytest.raises(MeaningsError, match="'no such concept' is not in lexicon"):
        broken.check("miniature", tokenizers["miniature"], lexicon, 42)
    assert not list(ConceptPairDraws().pairs)
