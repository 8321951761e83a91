"""The numbers behind the lessons: pure arithmetic over configs and summaries, usable in a notebook."""
