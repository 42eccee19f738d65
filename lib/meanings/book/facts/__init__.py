"""What a page's text says: one module per page, one tested function per section.

A function takes the tables that the page's visible cells made and returns the values that the text
shows, by the name under which it shows them.
"""
