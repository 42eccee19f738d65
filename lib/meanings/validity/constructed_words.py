"""The made-up words of a constructed network, and its tokenizer of whole words."""

from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import Lexicon
from meanings.validity.ground_truth import GroundTruth

# Numbers are for the prompts of the self-test.
MARKS = ["<unk>", "\n", '"', ":", "-", *map(str, range(1, 13))]


def lexicon(truth: GroundTruth) -> Lexicon:
    """Made-up words, `fr07` for concept 7 in French: no form occurs twice."""
    entries = {
        c: {code: (f"{code}{i:02}",) for code in truth.languages}
        for i, c in enumerate(truth.concepts)
    }
    return Lexicon("known-truth", truth.languages, entries, {})


def tokenizer(truth: GroundTruth) -> PreTrainedTokenizerFast:
    """One token per word, a mark, a language's name; spaces are dropped."""
    words = [
        word
        for entry in lexicon(truth).entries.values()
        for forms in entry.values()
        for word in forms
    ]
    vocabulary = [*MARKS, *(LANGUAGES[code].native for code in truth.languages), *words]
    whole = Tokenizer(
        models.WordLevel({token: i for i, token in enumerate(vocabulary)}, unk_token="<unk>")
    )
    whole.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(" ", "removed"), pre_tokenizers.Split(Regex('["\n:-]'), "isolated")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=whole, unk_token="<unk>", clean_up_tokenization_spaces=False
    )
