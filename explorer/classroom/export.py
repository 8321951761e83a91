"""The results of a class as a table."""

import csv
import io
from collections.abc import Iterable

from explorer.classroom.records import ResultRow

_BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets read the file in an old encoding


def results_csv(rows: Iterable[ResultRow]) -> str:
    """Return votes as CSV, a row each."""
    text = io.StringIO(_BYTE_ORDER_MARK)
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text)
    writer.writerow(("question", "text", "round", "member", "answer", "correct"))
    writer.writerows((*row[:5], "yes" if row.is_correct else "no") for row in rows)
    return text.getvalue()
