"""The page Network: the editable table, the totals, and the details below."""
