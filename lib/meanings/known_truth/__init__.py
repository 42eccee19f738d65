"""Known truth: constructed networks in which concept and language meet at a layer, and from a checkpoint, that we choose.

    world       what is true: layers, checkpoints, how much of each concept is shared when; and what the instrument must then see
    network     the same as the weights of a Llama, set by hand; no training
    trials      the instrument held against it: layers, onsets, and how often intervals cover

`python -m meanings.known_truth` writes data/published/known_truth.csv; with `--world FOLDER` a constructed training run on which
`meanings study` runs as on any model.
"""
