"""When Meanings Meet: concepts patched between languages through a model's training.

Rooms in the order in which data flows. Each imports only from rooms above it (a test checks it).

    core        errors, paths, typed YAML, atomic files, hashes, provenance, tables, number formats
    lexicon     languages, the lexicon and its readers, forms and relations of words
    corpora     data sets of others: treebanks, words in context, gendered words
    models      the registry, the hub, training runs and their checkpoints, loading
    prompts     concept pairs, few-shot prompts, what counts as an answer
    patching    concept vectors read and written: conditions, source states, the sweep
    measures    what is measured of a checkpoint; cells and results on disk
    study       a grid of checkpoints: plan, run, estimate, workers, publishing, export
    statistics  intervals, layers, onsets, and the rules behind each claim
    labels      what kind of right or wrong an answer is; annotation by other readers
    miniature   the small model that everything runs on by default
    validity    constructed networks with known truth; permuted labels; the book's claims
    book        chapters, figures, tables, pages
    cli         `meanings ...`
"""
