"""A grid of checkpoints measured: plan, run, estimate, workers, publishing and export."""
