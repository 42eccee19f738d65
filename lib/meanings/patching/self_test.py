"""A check that patching does in this model what it must, made when a model is first loaded."""

from __future__ import annotations

import torch
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.models.loading import PatchableModel, like_output, read_output
from meanings.patching.query_states import hidden_states
from meanings.patching.sweeping import sweep, unpatched
from meanings.prompts.prompt import Prompt

# Largest difference in a probability between one way of computing and another, both right.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 8e-2}
MOST_PROBABLE = 32  # tokens of each plain forward that are compared
LINES = ('1: "2" - 3: "4"\n5: "', '6: "7" - 8: "9"\n10: "')


def check_patching(model: PatchableModel) -> None:
    """Check on two short prompts that a patch has an effect where it must, and none where it must
    not.

    - A plain forward over the whole prompt, layers overwritten by PyTorch hooks, gives the
      probabilities of the sweep.
    - A prompt patched into itself has the probabilities of the unpatched prompt.
    - The other prompt's vectors change the layers above them, and those below the first layer are
      not read.
    - The logits are those of the output matrix, with the soft-capping or scale that the
      configuration names, and attention computed plainly gives the same.

    The tokens compared are those that the plain forwards, patched and not, find most probable.

    Raises MeaningsError naming what failed.
    """
    prompts = _prompts(model)
    ends = [
        Prompt(p.text, p.cut(), p.query_position, p.line_position, p.query_concept, p.pair)
        for p in prompts
    ]
    states = hidden_states(model, prompts).float()
    middle = model.n_layers // 2
    other = states[:, [1, 0]].clone()
    other[:middle] = torch.nan  # what is not read cannot spread
    plain = torch.stack([_plain_forward(model, prompt) for prompt in prompts])
    plain_ends = torch.stack([_plain_forward(model, prompt) for prompt in ends])
    plain_patched = torch.stack(
        [_plain_forward(model, prompt, other[:, i], middle) for i, prompt in enumerate(prompts)]
    )
    tokens = _most_probable(plain, plain_ends, plain_patched)
    columns = [[frozenset({token}) for token in tokens]] * len(prompts)

    unchanged = unpatched(model, prompts, columns).probabilities[0]
    _check_equal(model, unchanged, plain[:, tokens], "probabilities without a patch")
    into_itself = sweep(model, prompts, states, columns).probabilities
    _check_equal(
        model, into_itself, unchanged.expand_as(into_itself), "prompts patched into themselves"
    )
    patched = sweep(model, prompts, other, columns, first_layers=[middle]).probabilities[0]
    _check_equal(
        model, patched, plain_patched[:, tokens], f"prompts patched from layer {middle} on"
    )
    swapped = sweep(model, ends, states[:, [1, 0]], columns, first_layers=[0]).probabilities[0]
    _check_equal(
        model, swapped, plain_ends[[1, 0]][:, tokens], "prompts answered from the patched token"
    )
    if torch.equal(swapped, unpatched(model, ends, columns).probabilities[0]):
        raise MeaningsError(
            f"{model.name}: a patch at {model.layers_path!r} changes nothing: register the path of "
            "its decoder layers"
        )
    _check_logits(model, prompts[0])
    _check_attention(model, prompts, plain)


def _most_probable(*distributions: Tensor) -> list[int]:
    """Token ids that one of the prompts finds most probable in one of the forwards."""
    most = min(MOST_PROBABLE, distributions[0].shape[-1])
    return sorted({int(t) for rows in distributions for t in rows.topk(most).indices.flatten()})


def _prompts(model: PatchableModel) -> list[Prompt]:
    """Two prompts that differ: the texts of `LINES`, or, where the tokenizer makes the same of both
    (it need not know digits), tokens from both ends of its vocabulary.

    Raises MeaningsError where it has no two tokens that are text.
    """
    end = tuple(model.tokenizer('" - 12: "', add_special_tokens=False)["input_ids"])
    heads = [_head(model, text + "11") for text in LINES]
    if heads[0] == heads[1] or not all(heads):
        known = sorted(set(model.tokenizer.get_vocab().values()) - model.special_ids)
        if len(known) < 2:
            raise MeaningsError(
                f"{model.name}: its tokenizer has {len(known)} tokens of text; check its "
                f"tokenizer.json"
            )
        heads = [tuple(known[:6]), tuple(known[:-7:-1])]
        end = end or (known[0],)
    return [
        Prompt(text, (*head, *end), len(head) - 1, len(head) - 1, "", LanguagePair("en", "en"))
        for text, head in zip(LINES, heads, strict=True)
    ]


def _head(model: PatchableModel, text: str) -> tuple[int, ...]:
    """The text's tokens without the marks that the tokenizer puts at its end."""
    made = model.tokenizer(text, return_special_tokens_mask=True)
    ids, marks = made["input_ids"], made["special_tokens_mask"]
    while ids and marks[len(ids) - 1]:
        ids = ids[:-1]
    return tuple(ids)


@torch.no_grad()
def _plain_forward(
    model: PatchableModel, prompt: Prompt, vectors: Tensor | None = None, first_layer: int = 0
) -> Tensor:
    """The next token's distribution, shape `vocab`, with the layers from `first_layer` on
    overwritten by hooks where there are vectors.
    """
    handles = []
    if vectors is not None:
        for index, layer in enumerate(model.network.get_submodule(model.layers_path)):

            def write(_module, _inputs, output, index=index):
                hidden = read_output(output).clone()
                hidden[0, prompt.query_position] = vectors[index].to(hidden)
                return like_output(output, hidden)

            if index >= first_layer:
                handles.append(layer.register_forward_hook(write))
    try:
        logits = model.network(
            input_ids=torch.tensor([prompt.token_ids], device=model.device), use_cache=False
        ).logits[0, -1]
    finally:
        for handle in handles:
            handle.remove()
    return logits.float().softmax(-1).cpu()


@torch.no_grad()
def _check_logits(model: PatchableModel, prompt: Prompt) -> None:
    """The network's logits against those of its output matrix, capped or scaled as configured."""
    products = []
    handle = model.network.get_output_embeddings().register_forward_hook(
        lambda _module, _inputs, output: products.append(output[0, -1].float())
    )
    try:
        ids = torch.tensor([prompt.token_ids], device=model.device)
        logits = model.network(input_ids=ids, use_cache=False).logits[0, -1].float()
    finally:
        handle.remove()
    expected, config = products[-1], model.network.config.get_text_config(decoder=True)
    expected = expected * (getattr(config, "logit_scale", None) or 1)
    expected = expected / (getattr(config, "logits_scaling", None) or 1)
    if cap := getattr(config, "final_logit_softcapping", None):
        expected = cap * torch.tanh(expected / cap)
    found, expected = logits.softmax(-1), expected.softmax(-1)
    _check_equal(model, found, expected, "probabilities from the output matrix as configured")


def _check_attention(model: PatchableModel, prompts: list[Prompt], plain: Tensor) -> None:
    """The usual attention against the plain one (`eager`), where the architecture has both."""
    usual = model.network.config._attn_implementation
    if usual == "eager":
        return
    try:
        model.network.set_attn_implementation("eager")
        eager = torch.stack([_plain_forward(model, prompt) for prompt in prompts])
    finally:
        model.network.set_attn_implementation(usual)
    _check_equal(model, plain, eager, f"probabilities under {usual} and plain attention")


def _check_equal(model: PatchableModel, found: Tensor, expected: Tensor, what: str) -> None:
    difference = float((found - expected).abs().max())
    if not difference <= TOLERANCE[model.dtype]:
        raise MeaningsError(
            f"{model.name} ({type(model.network).__name__}) failed the self-test: {what} differ by "
            f"{difference:.1e} in probability "
            f"(allowed is {TOLERANCE[model.dtype]:.0e} in {model.dtype}); this architecture needs "
            "support before its numbers can be trusted"
        )
