"""A data folder small enough for tests: a lexicon of a few words and a random model with three
checkpoints.
"""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from meanings.lexicon.build import write_lexicon
from meanings.lexicon.lexicon import Lexicon, load_lexicon

LANGUAGES = ("en", "fr", "de", "es", "pl")
STEPS = (0, 10, 20)


def small_lexicon(n_concepts: int = 60) -> Lexicon:
    whole = load_lexicon("embedded")
    return whole.restrict(
        languages=LANGUAGES, concepts=whole.concepts[:: len(whole) // n_concepts][:n_concepts]
    )


def make_world(folder: Path, seeds: tuple[int, ...] = (0,), n_concepts: int = 60) -> Path:
    """A data folder with `lexicon/` and a `miniature/` of random weights."""
    lexicon = small_lexicon(n_concepts)
    (folder / "lexicon").mkdir(parents=True)
    write_lexicon(lexicon, folder / "lexicon" / "lexicon.csv")
    tokenizer = _tokenizer(lexicon)
    for seed in seeds:
        run = folder / "miniature" / f"seed-{seed}"
        tokenizer.save_pretrained(folder / "miniature" / "seed-0" / "tokenizer")
        rows = []
        for step in STEPS:
            torch.manual_seed(1000 * seed + step)
            config = LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=3,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=1024,
            )
            LlamaForCausalLM(config).save_pretrained(run / f"step-{step:06}")
            rows.append({"step": step, "tokens": 100 * step, "folder": f"step-{step:06}"})
        content = {
            "model": "miniature",
            "training_seed": seed,
            "seen": list(LANGUAGES),
            "checkpoints": rows,
        }
        content["languages"] = {code: {"tier": "high", "share": 0.2} for code in LANGUAGES}
        (run / "trajectory.json").write_text(json.dumps(content))
    return folder


def _tokenizer(lexicon: Lexicon) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    words = [
        word
        for concept in lexicon.concepts
        for code in lexicon.languages
        for word in lexicon.words(concept, code)
    ]
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<s>", "</s>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([*words, *(" " + word for word in words)], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
