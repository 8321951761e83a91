"""Data into pictures and text. Nothing in here imports torch or streamlit."""
