"""Words: languages, the lexicon and its readers, forms and relations of words; `build` and `check`
make the embedded one.
"""
