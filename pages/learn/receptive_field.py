"""The lesson on receptive fields and input sizes."""

from explorer.ui.lessons import fields, lesson

lesson.show(
    "receptive_field",
    {
        "predict": fields.predict,
        "spectrum": fields.spectrum,
        "on_picture": fields.on_picture,
        "without": fields.without,
        "doctor": fields.doctor,
        "limits": fields.limits,
    },
    "Every live part follows the network of this session.",
    together=("spectrum", "on_picture", "without"),
)
