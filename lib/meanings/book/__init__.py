"""The book: typed chapters, figures, tables, and their way from text to rendered pages. Nothing
here measures.
"""
