"""Data sets that others made, read by path: parallel treebanks, words in context, word lists."""
