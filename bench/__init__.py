"""What the patching engine saves: `make bench`.

shapes      the models that are timed, and their prompts published   the published algorithm,
written anew on nnsight: a whole forward for every first layer hooks       plain PyTorch hooks in
place of nnsight, with the same savings as ours: what nnsight itself costs timing      the three
side by side in one run memory      peak memory, each in a process of its own __main__    the table,
and _build/bench.json
"""
