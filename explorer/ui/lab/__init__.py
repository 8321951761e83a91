"""The pages of the section Lab."""
