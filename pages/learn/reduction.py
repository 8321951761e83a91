"""The lesson on the 1×1 reduction."""

from explorer.ui.lessons import lesson, reduction, reduction_more

lesson.show(
    "reduction",
    {
        "predict": reduction.predict,
        "bench": reduction.bench,
        "break_even": reduction.break_even,
        "exchange": reduction.exchange,
        "mixing": reduction_more.mixing,
        "paths": reduction_more.paths,
        "timing": reduction_more.timing,
        "whole_network": reduction_more.whole_network,
        "slips": reduction_more.slips,
    },
    "The case is yours to change; the last parts and the test follow the network of this session.",
    together=("bench", "break_even", "exchange", "mixing", "paths", "timing"),
)
