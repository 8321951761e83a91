"""The lesson on why everyone's numbers differ."""

from explorer.ui.lessons import googlenets, lesson

lesson.show(
    "which_googlenet",
    {
        "predict": googlenets.predict,
        "presets": googlenets.presets,
        "audit": googlenets.audit,
        "counts": googlenets.counts,
    },
    "The presets and Table 1 stay as they are; the ways of counting and the test follow the network of this session.",
)
