"""Parallel treebanks: sentences with the words, classes and relations that annotators gave them."""
