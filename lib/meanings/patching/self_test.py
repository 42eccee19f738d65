"""Does patching do in this model what it must? Asked of every model when it is first loaded."""

from __future__ import annotations

import torch
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel, like_output, read_output
from meanings.patching.query_states import hidden_states
from meanings.patching.sweeping import sweep, unpatched
from meanings.prompts.prompt import Prompt

# Largest difference in a probability between one way of computing and another, both right.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 8e-2}
LINES = ('1: "2" - 3: "4"\n5: "', '6: "7" - 8: "9"\n10: "')


def self_test(model: PatchableModel) -> None:
    """Check on two short prompts that a patch has an effect where it must, and none where it must
    not.

    - A plain forward over the whole prompt, layers overwritten by PyTorch hooks, answers as the
      sweep does.
    - A prompt patched into itself answers as before.
    - The other prompt's vectors change the layers above them, and those below the first layer are
      not read.

    Raises MeaningsError naming what failed.
    """
    prompts = [_prompt(model, text) for text in LINES]
    states = hidden_states(model, prompts).float()
    columns = [[frozenset({token}) for token in range(min(64, len(model.tokenizer)))]] * len(
        prompts
    )
    before = unpatched(model, prompts, columns).probabilities[0]
    plain = torch.stack([_plain(model, prompt, None, 0, columns[0]) for prompt in prompts])
    _same(model, before, plain, "its answers without a patch")
    own = sweep(model, prompts, states, columns).probabilities
    _same(model, own, before.expand_as(own), "prompts patched into themselves")
    other = states[:, [1, 0]].clone()
    middle = model.n_layers // 2
    other[:middle] = torch.nan  # what is not read cannot spread
    found = sweep(model, prompts, other, columns, first_layers=[middle]).probabilities[0]
    plain = torch.stack(
        [_plain(model, prompt, other[:, i], middle, columns[0]) for i, prompt in enumerate(prompts)]
    )
    _same(model, found, plain, f"prompts patched from layer {middle} on")
    ends = [
        Prompt(p.text, p.cut(), p.query_position, p.line_position, p.query_concept, p.pair)
        for p in prompts
    ]
    swapped = sweep(model, ends, states[:, [1, 0]], columns, first_layers=[0]).probabilities[0]
    alone = unpatched(model, ends, columns).probabilities[0]
    _same(model, swapped, alone[[1, 0]], "prompts answered from the patched token")
    if torch.equal(swapped, alone):
        raise MeaningsError(
            f"{model.name}: a patch at {model.layers_path!r} changes nothing: register the path of "
            "its decoder layers"
        )


def _prompt(model: PatchableModel, text: str) -> Prompt:
    from meanings.lexicon.languages import LanguagePair

    head, end = (
        model.tokenizer(text + "11")["input_ids"],
        model.tokenizer('" - 12: "', add_special_tokens=False)["input_ids"],
    )
    while head and head[-1] in model.tokenizer.all_special_ids:
        head = head[:-1]
    return Prompt(text, (*head, *end), len(head) - 1, len(head) - 1, "", LanguagePair("en", "en"))


@torch.no_grad()
def _plain(
    model: PatchableModel,
    prompt: Prompt,
    vectors: Tensor | None,
    first_layer: int,
    columns: list[frozenset[int]],
) -> Tensor:
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
    return logits.float().softmax(-1)[[min(tokens) for tokens in columns]].cpu()


def _same(model: PatchableModel, found: Tensor, expected: Tensor, what: str) -> None:
    difference = float((found - expected).abs().max())
    if not difference <= TOLERANCE[model.dtype]:
        raise MeaningsError(
            f"{model.name} ({type(model.network).__name__}) failed the self-test: {what} differ by "
            f"{difference:.1e} in probability "
            f"(allowed is {TOLERANCE[model.dtype]:.0e} in {model.dtype}); this architecture needs "
            "support before its numbers can be trusted"
        )
