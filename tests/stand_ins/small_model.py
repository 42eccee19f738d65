"""Tiny stand-ins for a model, its tokenizer and a lexicon, made in memory; large enough for every
identity to bite.
"""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import wrap_model
from meanings.prompts.concept_pairs import draw_concept_pairs

LANGUAGES_USED = ("en", "fr", "es", "de", "fi")
N_LAYERS = 4

# English, French, Spanish, German, Finnish; `|` between accepted words.
WORDS = """
cat chat gato Katze kissa
dog chien perro Hund koira
house maison casa Haus talo
tree arbre árbol Baum puu
water eau agua Wasser vesi
book livre libro Buch kirja
king roi rey König kuningas
moon lune luna Mond kuu
fire feu fuego Feuer tuli
hand main mano Hand käsi
eye œil ojo Auge silmä
key clé|clef llave Schlüssel avain
bird oiseau ave|pájaro Vogel lintu
snow neige nieve Schnee lumi
apple pomme manzana Apfel omena
star étoile estrella Stern tähti
knife couteau cuchillo Messer veitsi
yard|courtyard cour patio Hof piha
umbrella parapluie paraguas Regenschirm sateenvarjo
jacket veste chaqueta Jacke takki
ear oreille oreja Ohr korva
queen reine reina Königin kuningatar
village village pueblo Dorf kylä
bread pain pan Brot leipä
""".split("\n")


def lexicon() -> Lexicon:
    rows = [[tuple(cell.split("|")) for cell in line.split()] for line in WORDS if line]
    return Lexicon(
        name="tiny",
        languages=LANGUAGES_USED,
        entries={row[0][0]: dict(zip(LANGUAGES_USED, row, strict=True)) for row in rows},
        categories={},
    )


def fast(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        clean_up_tokenization_spaces=False,
    )


def tokenizer(lexicon: Lexicon, vocabulary: int = 400) -> PreTrainedTokenizerFast:
    """Byte-level BPE that learned the lexicon's words, as models' tokenizers split text: words
    apart from quotes.
    """
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    names = " ".join(LANGUAGES[code].native for code in lexicon.languages)
    lines = [
        f'"{word}" {names}: " - "'
        for entry in lexicon.entries.values()
        for words in entry.values()
        for word in words
    ]
    bpe.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=["<s>", "</s>"],
            show_progress=False,
        ),
    )
    return fast(bpe)


def config(n_tokens: int) -> LlamaConfig:
    # The weights are drawn wide, so that a small mistake moves the answer far beyond rounding.
    return LlamaConfig(
        vocab_size=n_tokens,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=N_LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=1,
    )


def network(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> LlamaForCausalLM:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config(len(tokenizer)))


def model(tokenizer: PreTrainedTokenizerFast, seed: int = 0):
    return wrap_model(network(tokenizer, seed), tokenizer, name="tiny")


def concept_pairs(
    lexicon: Lexicon,
    tokenizer: PreTrainedTokenizerFast,
    n_pairs: int = 6,
    shots: int = 2,
    seed: int = 0,
):
    return draw_concept_pairs(lexicon, tokenizer, LANGUAGES_USED, n_pairs, shots, seed)
