"""The lesson on the 1×1 reduction."""

from explorer.ui.learn import lesson
from explorer.ui.learn.reduction import case, network

lesson.show(
    "reduction",
    {
        "predict": case.predict,
        "bench": case.bench,
        "break_even": case.break_even,
        "exchange": case.exchange,
        "mixing": network.mixing,
        "paths": network.paths,
        "timing": network.timing,
        "whole_network": network.whole_network,
        "slips": network.slips,
    },
    "The case is yours to change; the last parts and the test follow the network of this session.",
    together=("bench", "break_even", "exchange", "mixing", "paths", "timing"),
)
