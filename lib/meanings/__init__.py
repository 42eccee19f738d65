"""When meanings meet: shared concept spaces through the training of multilingual language models."""
