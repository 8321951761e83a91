"""The class on a server: who joined, votes in rounds, where the class is, what is handed in. No streamlit, no torch."""
