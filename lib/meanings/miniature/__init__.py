"""The miniature: a small multilingual language model with its whole training run.

Rooms, in the order data flows: `mix` (what is in the training text), `signs` (a cipher that keeps languages apart), `corpus` (the
text), `tokenizer`, `training` (checkpoints), `worlds` (short miniatures that test the instrument), `report` (what the miniature
shows, from the published tables).
"""
