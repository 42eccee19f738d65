"""The tokenizer in use is the one in the file, and where transformers makes another one of it, a
person has to choose.
"""

import json
import shutil

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers.utils import logging

from meanings.core.errors import MeaningsError
from meanings.models import tokenizers
from meanings.models.loading import load_model
from meanings.models.tokenizers import (
    as_it_stands,
    by_library,
    probe,
    read_tokenizer,
    special_ids,
)
from stand_ins import small_model, tokenizer_kinds
from stand_ins.tokenizer_kinds import CLASSES, KINDS, MODEL_TYPES

# Every kind, and among them every class and every type of model, without all of their product.
CASES = [
    case
    for row, kind in enumerate(KINDS)
    for case in (
        (kind, None, MODEL_TYPES[row % len(MODEL_TYPES)]),
        (kind, CLASSES[row % len(CLASSES)], None),
        (kind, CLASSES[1 + row % 2], MODEL_TYPES[(row + 3) % len(MODEL_TYPES)]),
    )
]
# What a model type or a class makes of a file that it was not made for (transformers 5).
REBUILT = [
    ("byte level, by spaces", "PreTrainedTokenizerFast", "qwen2"),
    ("byte level, space before", None, "qwen3"),
    ("byte level, split as Qwen", None, "gpt2"),
    ("byte level, start mark", None, "gpt_neox"),
    ("byte level", None, "gemma3_text"),
    ("Metaspace, never", "LlamaTokenizer", None),
]


@pytest.fixture(autouse=True)
def short_and_quiet(monkeypatch, lexicon):
    """The probe is of a few words, and transformers does not warn of what these tests are about."""
    monkeypatch.setattr(tokenizers, "load_lexicon", lambda name: lexicon)
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    yield
    logging.set_verbosity(level)


@pytest.fixture(scope="module")
def texts(lexicon):
    return [*probe(lexicon), 'Français: "chat" - Español: "', "a  b\n\nc 12", "<|end|>x", "œuf ñ ü"]


@pytest.mark.parametrize(("kind", "name", "model_type"), CASES)
def test_the_file_is_what_is_used_whatever_class_or_model_type_is_named(
    tmp_path, texts, kind, name, model_type
):
    folder = tokenizer_kinds.write(tmp_path / "model", kind, name, model_type)
    file = Tokenizer.from_file(str(folder / "tokenizer.json"))
    expected = [file.encode(text) for text in texts]
    read = read_tokenizer(folder, "file")
    found = [read.words(text, return_offsets_mapping=True) for text in texts]
    assert [each["input_ids"] for each in found] == [each.ids for each in expected]
    assert [each["offset_mapping"] for each in found] == [each.offsets for each in expected]
    ids = expected[0].ids
    assert read.words.decode(ids, skip_special_tokens=True) == file.decode(ids)
    assert len(read.words) == file.get_vocab_size()
    special = {token for token, each in file.get_added_tokens_decoder().items() if each.special}
    assert special_ids(read.words) == special
    library = by_library(folder)
    same = all(
        library(text)["input_ids"] == each.ids
        for text, each in zip(probe(small_model.lexicon()), expected, strict=False)
    )
    known = read.provenance["tokenizer_file_and_library"]
    if not same:
        assert known == "other tokens"
    if known == "other tokens":
        with pytest.raises(MeaningsError, match="tokenizer.json: of .* choose .*tokenizer=file"):
            read_tokenizer(folder)
    else:
        assert read_tokenizer(folder).words.get_vocab() == file.get_vocab()


@pytest.mark.parametrize(("kind", "name", "model_type"), REBUILT)
def test_a_tokenizer_that_transformers_builds_anew_is_an_error_that_shows_the_tokens(
    tmp_path, kind, name, model_type
):
    folder = tokenizer_kinds.write(tmp_path / "model", kind, name, model_type)
    with pytest.raises(MeaningsError) as error:
        read_tokenizer(folder)
    said = str(error.value)
    assert "\n" not in said and said.startswith(f"{folder / 'tokenizer.json'}: of ")
    assert "the file makes '" in said and "of transformers '" in said
    assert "tokenizer=file" in said and "tokenizer=library" in said
    own, other = as_it_stands(folder), read_tokenizer(folder, "library").words
    text = next(probe(small_model.lexicon()))
    assert type(other).__name__ in said and own(text)["input_ids"] != other(text)["input_ids"]


def test_a_difference_in_one_word_of_a_users_lexicon_is_found_in_its_prompts(tmp_path, lexicon):
    """The probe does not have it: only prompts of the lexicon in use do."""
    folder = tokenizer_kinds.write(
        tmp_path / "model", "byte level", "PreTrainedTokenizerFast", None
    )
    definition = json.loads((folder / "tokenizer.json").read_text())
    read = read_tokenizer(folder)
    odd = definition | {
        "normalizer": {"type": "Replace", "pattern": {"String": "qoph"}, "content": "q"}
    }
    (folder / "tokenizer.json").write_text(json.dumps(odd))
    read.other = as_it_stands(folder)
    read.compare(probe(lexicon))
    assert read.provenance["tokenizer_file_and_library"].startswith("equal tokens")
    for _ in range(2):  # whoever asks again, for another checkpoint, is told again
        with pytest.raises(MeaningsError, match='of \'English: "qoph" - Français: "\''):
            read.compare(['English: "qoph" - Français: "'])


def test_a_file_without_a_readable_class_is_enough(tmp_path):
    folder = tokenizer_kinds.write(tmp_path / "model", "byte level", "NoSuchTokenizer", "no-such")
    config = {"tokenizer_class": "NoSuchTokenizer", "auto_map": {"AutoTokenizer": ["a.B", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert read_tokenizer(folder).words('"a"')["input_ids"]
    with pytest.raises(MeaningsError, match="cannot read .*ValueError.; choose tokenizer=file"):
        read_tokenizer(folder, "library")


def test_a_model_fits_its_file_though_a_class_adds_a_token(tmp_path):
    folder = tokenizer_kinds.write(tmp_path / "model", "byte level", "GPT2TokenizerFast", None)
    words = as_it_stands(folder)
    named = {"tokenizer_class": "GPT2TokenizerFast"}  # whose end mark is <|endoftext|>
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    small_model.network(words).save_pretrained(folder)
    rows = len(words)
    assert len(by_library(folder)) > rows  # what was refused before
    model = load_model(folder, device="cpu")
    assert len(model.tokenizer) == rows == model.network.get_input_embeddings().weight.shape[0]


def test_one_tokenizer_reads_alike_beside_the_weights_and_in_a_folder_of_its_own(tmp_path):
    folder = tokenizer_kinds.write(tmp_path / "model", "byte level, by spaces", None, "qwen2")
    own = tmp_path / "model" / "tokenizer"
    own.mkdir()
    shutil.copy(folder / "tokenizer.json", own)
    text = 'Français: "chat" - Español: "'
    beside, apart = (read_tokenizer(place, "file").words for place in (folder, own))
    assert beside(text)["input_ids"] == apart(text)["input_ids"]
    assert beside.decode(beside(text)["input_ids"]) == text


def test_a_class_that_cannot_use_the_file_is_said(tmp_path, lexicon):
    folder = tokenizer_kinds.write(tmp_path / "model", "byte level", "GemmaTokenizerFast", None)
    whole = small_model.tokenizer(lexicon).backend_tokenizer  # it has no token for the unknown
    whole.save(str(folder / "tokenizer.json"))
    for way in ("agreed", "library"):
        with pytest.raises(MeaningsError, match="cannot use it .*<unk>.*; choose tokenizer=file"):
            read_tokenizer(folder, way)
    assert read_tokenizer(folder, "file").provenance["tokenizer_file_and_library"] == "other tokens"


def test_dropout_of_merges_is_for_training_and_left_out(tmp_path, texts):
    folder = tokenizer_kinds.write(tmp_path / "model", "byte level", None, None)
    plain = as_it_stands(folder)(texts)["input_ids"]
    definition = json.loads((folder / "tokenizer.json").read_text())
    definition["model"]["dropout"] = 0.5
    (folder / "tokenizer.json").write_text(json.dumps(definition))
    for way in ("agreed", "file", "library"):
        assert read_tokenizer(folder, way).words(texts)["input_ids"] == plain


def test_a_file_that_cannot_split_text_is_said_and_no_other_way_recommended(tmp_path):
    folder = tokenizer_kinds.write(
        tmp_path / "model", "byte level", "PreTrainedTokenizerFast", None
    )
    whole = Tokenizer(WordLevel({"cat": 0}, unk_token="none"))
    whole.save(str(folder / "tokenizer.json"))
    for way in ("agreed", "file"):
        with pytest.raises(MeaningsError, match="json: it cannot split text that .*UNK"):
            read_tokenizer(folder, way)


def test_ids_beyond_the_embeddings_do_not_fit_however_few_tokens_there_are(tmp_path):
    folder = tokenizer_kinds.write(tmp_path / "model", "byte level", None, None)
    small_model.network(as_it_stands(folder)).save_pretrained(folder)
    definition = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = definition["model"]["vocab"]
    vocabulary[max(set(vocabulary) - {"<|end|>"}, key=vocabulary.get)] = 5000
    (folder / "tokenizer.json").write_text(json.dumps(definition))
    with pytest.raises(MeaningsError, match="5001 tokens but the model embeds"):
        load_model(folder, device="cpu")
