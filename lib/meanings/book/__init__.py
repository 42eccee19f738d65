"""The book: typed chapters, what they read and draw, and their way from text to rendered pages. Nothing here measures."""
