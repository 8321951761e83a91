"""What the files of a checkpoint are called: training writes and reads them, the run store keeps them."""


def weights_name(lane: int) -> str:
    """Return the name of the file with a lane's weights, of use by itself."""
    return f"lane{lane}.weights.safetensors"


def rest_name(lane: int) -> str:
    """Return the name of the file with what else a lane needs to go on: its optimiser's averages and its counts."""
    return f"lane{lane}.rest.safetensors"


def trainer_files(lane: int) -> str:
    """Return the pattern of the names of all files of a lane."""
    return f"lane{lane}.*"
