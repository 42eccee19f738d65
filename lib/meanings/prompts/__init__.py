"""Concept pairs and few-shot translation prompts, and what counts as an answer."""
