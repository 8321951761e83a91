"""The lesson on receptive fields and input sizes."""

from explorer.ui.learn import lesson, receptive_field

lesson.show(
    "receptive_field",
    receptive_field.hero,
    {
        "predict": receptive_field.predict,
        "one_layer": receptive_field.one_layer,
        "spectrum": receptive_field.spectrum,
        "on_image": receptive_field.on_image,
        "without_branch": receptive_field.show_without_branch,
        "input_size": receptive_field.input_size,
        "limits": receptive_field.limits,
    },
    "All live parts except “One layer to try” show the current network.",
    together=("spectrum", "on_image", "without_branch"),
)
