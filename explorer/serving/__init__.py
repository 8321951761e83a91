"""The server of a class: what it sends and refuses beside the app itself. Middleware and routes; no streamlit."""
