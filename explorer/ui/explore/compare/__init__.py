"""The page Compare: two to four networks side by side, and export."""
