"""The lesson on the auxiliary classifiers."""

from explorer.ui.learn import auxiliary, lesson

lesson.show(
    "auxiliary",
    {
        "predict": auxiliary.predict,
        "steps": auxiliary.steps,
        "other_inputs": auxiliary.other_inputs,
        "ledger": auxiliary.ledger,
        "loss": auxiliary.loss,
        "microscope": auxiliary.microscope,
    },
    "Every live part follows the network of this session.",
)
