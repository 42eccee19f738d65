"""Trained worlds: what each is kept from seeing, and that the default recipe's text stays what it
was.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature import run_folder, training
from meanings.miniature.corpus import Corpus, load_corpus
from meanings.miniature.draws import draw
from meanings.miniature.recipe import load_mix
from meanings.miniature.script_cipher import Signs
from meanings.miniature.tokenizer import train_tokenizer
from meanings.miniature.worlds import load_world, world_names
from meanings.prompts.answers import first_tokens

RECIPE = data_folder() / "miniature"
PARALLEL = ("glossary", "separated_glossary", "translated_list", "quoted_lines", "dictionary_lines")


@pytest.fixture(scope="module")
def corpus_of():
    """Corpora of the worlds by name, each made once."""
    made: dict[str, Corpus] = {}

    def make(name: str) -> Corpus:
        if name not in made:
            made[name] = load_corpus(RECIPE, load_world(RECIPE, name).mix, load_lexicon("embedded"))
        return made[name]

    return make


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Fewer documents for the tokenizers than a training run reads."""
    monkeypatch.setattr("meanings.miniature.tokenizer.DOCUMENTS_READ", 2000)


def pairs_drawn(corpus: Corpus, n: int = 2000) -> list[tuple[str, str]]:
    rng = np.random.default_rng(3)
    return [corpus.draw_pair(rng) for _ in range(n)]


@pytest.mark.parametrize(
    "name", ["parallel-0", "parallel-1", "parallel-5", "parallel-20", "parallel-100"]
)
def test_the_dose_is_the_share_of_parallel_documents_in_two_languages(corpus_of, name):
    dose = int(name.removeprefix("parallel-")) / 100
    drawn = pairs_drawn(corpus_of(name))
    share = np.mean([a != b for a, b in drawn])
    assert share == pytest.approx(dose, abs=3 * np.sqrt(dose * (1 - dose) / len(drawn)) + 1e-12)
    assert {code for pair in drawn for code in pair} == {"en", "fr", "de", "es"}


def test_a_whole_dose_draws_what_a_mix_without_the_field_draws(corpus_of):
    """No random number is spent on the question, so the shipped recipe's text is what its weights
    were trained on.
    """
    rng, plain = np.random.default_rng(5), np.random.default_rng(5)
    corpus = corpus_of("parallel-100")
    for _ in range(50):
        pairs = corpus.mix.pairs
        a, b = draw(plain, tuple(pairs), tuple(pair.weight for pair in pairs.values())).split("-")
        assert corpus.draw_pair(rng) == ((a, b) if plain.random() < 0.5 else (b, a))


def test_the_shipped_recipe_is_written_as_it_was(corpus_of):
    corpus = load_corpus(RECIPE, load_mix(RECIPE / "mix.yaml"), load_lexicon("embedded"))
    assert run_folder.recipe_of(corpus) == (RECIPE / "seed-0" / "recipe.json").read_text(
        encoding="utf-8"
    )
    assert (
        json.loads(run_folder.recipe_of(corpus_of("parallel-5")))["mix"]["parallel_share"] == 0.05
    )


def test_apart_no_two_languages_share_a_letter_or_stand_in_one_line(corpus_of):
    corpus = corpus_of("apart")
    letters = {
        code: {
            c
            for concept in corpus.lexicon.concepts
            for word in corpus.lexicon.words(concept, code)
            for c in word
            if c.isalpha()
        }
        for code in corpus.lexicon.languages
    }
    assert all(len(found) > 20 for found in letters.values())
    assert not any(letters[a] & letters[b] for a in letters for b in letters if a != b)
    rng = np.random.default_rng(0)
    for _ in range(400):
        for line in corpus.document(rng).splitlines():
            said = {code for code, found in letters.items() if found & set(line)}
            assert len(said) <= 1, line


def test_apart_no_two_languages_share_a_token(corpus_of, tmp_path):
    corpus = corpus_of("apart")
    tokenizer = train_tokenizer(corpus, tmp_path)
    firsts = {
        code: first_tokens(
            tokenizer, [w for c in corpus.lexicon.concepts for w in corpus.lexicon.words(c, code)]
        )
        for code in corpus.lexicon.languages
    }
    assert all(len(found) > 100 for found in firsts.values())
    assert not any(firsts[a] & firsts[b] for a in firsts for b in firsts if a != b)
    assert tokenizer.unk_token_id is None  # every character has a token


def test_one_token_every_word_is_one_token_and_a_text_is_read_back(corpus_of, tmp_path):
    corpus = corpus_of("one-token")
    tokenizer = train_tokenizer(corpus, tmp_path)
    words = [
        corpus.lexicon.word(c, code)
        for c in corpus.lexicon.concepts
        for code in corpus.lexicon.languages
    ]
    words = [word for word in words if word.isalpha()]
    ids = tokenizer(words, add_special_tokens=False)["input_ids"]
    assert len(words) > 2000 and all(len(found) == 1 for found in ids)
    assert tokenizer.eos_token_id not in {token for found in ids for token in found}
    text = 'Español: "gato" - Français: "chat"\n'
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_signs_are_another_spelling_of_the_same_words():
    signs = Signs({"en": ["Cat", "act"], "fr": ["chat"]})
    assert (
        signs.write("act Cat 1!", "en") != "act Cat 1!"
        and signs.write("act", "en")[0] == signs.write("cat", "en")[1]
    )
    assert len({signs.write(word, "en") for word in ("Cat", "act", "cat")}) == 3
    assert set(signs.write("chat", "fr")).isdisjoint(signs.write("Catact", "en"))
    assert signs.frame("{word} c {other}", "en") == "{word} " + signs.write("c", "en") + " {other}"
    with pytest.raises(MeaningsError, match="letters in 'xx': there are signs for"):
        Signs({"xx": ["".join(chr(0x4E00 + i) for i in range(2000))]})


def test_a_variant_is_the_recipe_with_its_fields_laid_over_it(corpus_of):
    names = world_names(RECIPE)
    assert {"parallel-0", "parallel-100", "apart", "one-token"} <= set(names)
    whole, other = load_mix(RECIPE / "mix.yaml"), corpus_of("one-token").mix
    assert (other.documents, other.model.hidden_size) == (whole.documents, whole.model.hidden_size)
    assert (
        other.pieces == "words"
        and whole.pieces == "bytes"
        and other.model.vocab_size != whole.model.vocab_size
    )
    with pytest.raises(MeaningsError, match="no world 'none'.*parallel-0"):
        load_world(RECIPE, "none")


ASKED = "{asked: {pairs: [en-fr], conditions: [seen], steps: [0]}}"


@pytest.mark.parametrize(
    "content, said",
    [
        ("worlds: {}\n", "expected `bases`"),
        (f"bases: {{four: {ASKED}}}\nworlds: {{null: {{}}}}\n", "expected `bases`"),
        (f"bases: {{four: {ASKED}}}\nworlds: [w]\n", "expected `bases`"),
        ("bases: {four: {}}\nworlds: {w: {}}\n", "asked"),
        (f"bases: {{four: {ASKED}}}\nworlds: {{w: {{parallel_share: 2}}}}\n", "parallel_share"),
        (f"bases: {{four: {ASKED}}}\nworlds: {{w: {{pieces: syllables}}}}\n", "pieces"),
        (f"bases: {{four: {ASKED}}}\nworlds: {{w: {{dose: 1}}}}\n", "dose"),
        (f"bases: {{four: {ASKED}}}\nworlds: {{w: {{base: five}}}}\n", "base 'five'.*four"),
        (f"bases: {{four: {ASKED}}}\nworlds: {{w: {{model: 3}}}}\n", "model"),
        (
            "bases: {four: {asked: {pairs: [en-fr], conditions: [seen], steps: [7]}}}\n"
            "worlds: {w: {}}\n",
            "step 7 is no checkpoint",
        ),
        (
            "bases: {four: {asked: {pairs: [en-fr], conditions: [sean], steps: [0]}}}\n"
            "worlds: {w: {}}\n",
            "unknown condition 'sean'",
        ),
        (
            "bases: {four: {asked: {pairs: [en-fr], conditions: [seen], steps: [0],"
            " measures: [ckaa]}}}\nworlds: {w: {}}\n",
            "ckaa",
        ),
        (
            "bases: {four: {asked: {pairs: [en-fr], conditions: [seen], steps: [0],"
            " tasks: [class]}}}\nworlds: {w: {}}\n",
            "tasks class have 8 classes",
        ),
        (
            "bases: {four: {asked: {pairs: [en-qaa], conditions: [seen], steps: [0]}}}\n"
            "worlds: {w: {}}\n",
            "pair 'en-qaa' names 'qaa'",
        ),
    ],
)
def test_a_malformed_file_of_worlds_is_one_line(tmp_path, content, said):
    shutil.copy(RECIPE / "mix.yaml", tmp_path / "mix.yaml")
    (tmp_path / "worlds.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(MeaningsError, match=said) as refused:
        load_world(tmp_path, "w")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "change, said",
    [
        ("clones: {of: en, codes: [qaz]}", "'qaz' is no code for a made language"),
        ("clones: {of: fr}", "of fr are made qaa"),
        ("clones: {friends: {share: 1.5}}", "share"),
        ("clones: {friends: {share: 0.5, meaning: none}}", "meaning"),
        ("clones: {signs: shared, friends: {share: 0.5}}", "every word is a friend"),
        ("align: {steps: 100, words: 0}", "align.words"),
        ("align: {steps: 100, words: 0.01}", "align.words: 0.01 of the concepts is fewer than two"),
        ("switch: {share: 0.3, words: 0.02}", "switch.words: .* give 0.042 or more"),
        ("clones: {friends: {share: 0.01, meaning: other}}", "clones.friends.share: "),
        ("align: {steps: 5000}", "end after the training's 1200"),
        ("align: {steps: 10, dictionary: none}", "dictionary"),
        ("switch: {share: 0.3}, clones: {signs: shared}", "cannot be switched"),
        ("switch: {share: 2}", "switch.share"),
        ("pieces: bytes", "twins belong to clones"),
        ("concepts: {categories: 8, each: 400}", "8 categories of 400"),
        ("concepts: {categories: 40, each: 24}", "of 8 categories at most"),
    ],
)
def test_a_bad_world_of_clones_is_one_line_before_training(tmp_path, change, said):
    for name in ("mix.yaml", "worlds.yaml", "associations.csv", "patterns.yaml"):
        shutil.copy(RECIPE / name, tmp_path / name)
    shutil.copytree(RECIPE / "udhr", tmp_path / "udhr")
    with (tmp_path / "worlds.yaml").open("a", encoding="utf-8") as file:
        file.write(f"  w: {{base: clones, {change}}}\n")
    with pytest.raises(MeaningsError, match=said) as refused:
        load_corpus(tmp_path, load_world(tmp_path, "w").mix, load_lexicon("embedded"))
    assert "\n" not in str(refused.value)


def test_a_variant_is_trained_under_its_name_with_its_own_words(corpus_of, tmp_path, monkeypatch):
    corpus = corpus_of("apart")
    mix = corpus.mix.model_copy(
        update={
            "model": corpus.mix.model.model_copy(
                update={
                    "vocab_size": 500,
                    "hidden_size": 16,
                    "intermediate_size": 16,
                    "num_hidden_layers": 1,
                }
            ),
            "training": corpus.mix.training.model_copy(
                update={"steps": 2, "rows": 2, "row_length": 32, "checkpoints": (0, 2)}
            ),
        }
    )
    monkeypatch.setattr("shutil.which", lambda name: None)  # no compiling for two steps
    small = Corpus(mix, corpus.lexicon, corpus.associations, corpus.patterns, corpus.passages)
    home: Path = training.train(small, 0, tmp_path, progress=False, name="apart")
    assert json.loads((home / "trajectory.json").read_text())["model"] == "apart"
    assert load_lexicon(home / "signs.csv").entries == corpus.lexicon.entries
