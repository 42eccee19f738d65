"""Read concept vectors, write them into other prompts, and sweep the first layer that is
overwritten.
"""
