"""The small multilingual model that the study ships with: recipe, corpus, tokenizer, training,
variants, report.
"""
