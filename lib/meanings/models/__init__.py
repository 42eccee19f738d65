"""Models and their training runs: the registry, the hub, checkpoints, loading."""
