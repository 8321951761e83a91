"""The lesson on auxiliary classifiers."""

from explorer.ui.learn import auxiliary, lesson

lesson.show(
    "auxiliary",
    auxiliary.hero,
    {
        "predict": auxiliary.predict,
        "steps": auxiliary.steps,
        "other_inputs": auxiliary.other_inputs,
        "head_costs": auxiliary.head_costs,
        "loss": auxiliary.loss,
        "gradients": auxiliary.gradients,
    },
    "Every live part shows the current network.",
)
