"""What the numbers say: bootstrap intervals, layers, onsets, depth, and the rules by which the book
makes its claims.
"""
