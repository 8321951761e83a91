"""The lesson on receptive fields and input sizes."""

from explorer.ui.learn import lesson, receptive_field

lesson.show(
    "receptive_field",
    {
        "predict": receptive_field.predict,
        "spectrum": receptive_field.spectrum,
        "on_picture": receptive_field.on_picture,
        "without": receptive_field.without,
        "doctor": receptive_field.doctor,
        "limits": receptive_field.limits,
    },
    "Every live part follows the network of this session.",
    together=("spectrum", "on_picture", "without"),
)
