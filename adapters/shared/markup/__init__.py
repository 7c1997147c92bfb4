"""Markdown as language models write it, in the dialects of chat platforms, and their messages as plain text."""
