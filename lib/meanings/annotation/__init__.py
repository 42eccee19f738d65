"""Annotating answers by hand or by any other reader: a stratified sample, blind sheets, import, agreement.

A sheet says what an annotator needs and nothing of the automatic label; a key, kept apart, says what each answer is.
"""
