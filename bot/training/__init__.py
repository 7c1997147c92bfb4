"""The way of the project's own model: data, tokenizer, pre-training, fine-tuning, evaluation, export."""
