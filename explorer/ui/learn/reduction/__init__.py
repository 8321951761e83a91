"""The live parts of the lesson on the 1×1 reduction."""
