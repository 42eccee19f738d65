"""The miniature: a small multilingual language model with its whole training run.

Rooms, in the order data flows: `mix` (what is in the training text), `corpus` (the text), `tokenizer`,
`training` (checkpoints), `report` (what the miniature shows, from the published tables).
"""
