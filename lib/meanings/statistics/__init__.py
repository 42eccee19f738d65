"""Statistics of measured tables: intervals, matched comparisons, layers, onsets, depth, and the
rules by which the book makes its claims.
"""
