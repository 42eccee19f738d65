"""Checks of the method: constructed networks whose truth is known, and claims under permuted
labels.
"""
