"""The words: types, errors, span attribute names, canonical form, redactor, spool. Imports nothing of ours above it."""
