"""The lesson on why published numbers differ."""

from explorer.ui.learn import lesson, which_googlenet

lesson.show(
    "which_googlenet",
    which_googlenet.hero,
    {
        "predict": which_googlenet.predict,
        "presets": which_googlenet.presets,
        "audit": which_googlenet.audit,
        "counts": which_googlenet.counts,
    },
    "The presets and Table 1 are fixed; the ways of counting and the test show the current network.",
)
