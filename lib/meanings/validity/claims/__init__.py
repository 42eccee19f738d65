"""The book's claims as data: a statement, its effect, the smallest effect that counts, a verdict.

Each chapter's claims stand in a module of its name, as a tuple `CLAIMS`.
"""
