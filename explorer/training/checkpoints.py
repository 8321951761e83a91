"""The names of the files in a checkpoint: training writes and reads them, the run store manages them.

Stored checkpoints have these names, so they do not change; the ``lane`` in them is the index of a trainer.
"""


def weights_filename(trainer: int) -> str:
    """Return the name of the file with a trainer's weights, which can be used on its own."""
    return f"lane{trainer}.weights.safetensors"


def training_state_filename(trainer: int) -> str:
    """Return the name of the file with what else a trainer needs to resume: its optimiser's state and its counts."""
    return f"lane{trainer}.rest.safetensors"


def trainer_file_pattern(trainer: int) -> str:
    """Return the glob pattern of all files of a trainer."""
    return f"lane{trainer}.*"
