"""The lesson on the 1×1 reduction."""

from explorer.ui.learn import lesson, one_number, reduction

lesson.show(
    "reduction",
    reduction.hero,
    {
        "predict": reduction.predict,
        "cost": reduction.cost,
        "break_even": reduction.break_even,
        "branch": reduction.branch,
        "mixing": reduction.mixing,
        "paths": reduction.paths,
        "timing": reduction.timing,
        "one_number": one_number.one_number,
        "whole_network": reduction.whole_network,
        "mistakes": reduction.mistakes,
    },
    "You can change the numbers of the example. The last parts and the test show the current network.",
    together=("cost", "break_even", "branch", "mixing", "paths", "timing"),
)
