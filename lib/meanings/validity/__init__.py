"""Is the instrument right? Constructed networks with known truth, and claims put to shuffled
labels.
"""
