"""The steps from one version of the database of classes to the next, by Alembic; each file is one step."""
