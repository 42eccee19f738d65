"""Answers labelled by other readers: samples, blind sheets, agreement."""
