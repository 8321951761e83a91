"""The only room that imports streamlit: state, cache, editor, frame and shared widgets."""
