"""Running measures over a grid of checkpoints: plan, run, estimate, workers, publishing and export."""
