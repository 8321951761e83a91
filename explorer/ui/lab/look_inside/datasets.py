"""The datasets here whose test images the inspected network can be compared with."""

from explorer.data.arrays import DataError
from explorer.data.datasets import available_datasets, dataset_info
from explorer.settings import data_folder
from explorer.training.plan import DatasetChoice, DatasetInfo
from explorer.ui.lab.look_inside import session


def fitting_datasets() -> tuple[tuple[DatasetChoice, DatasetInfo], ...]:
    """Return the datasets with the classes of the inspected network, with their descriptions."""
    names = session.inspected_network().class_names
    found = []
    for dataset in available_datasets(data_folder()):
        try:
            info = dataset_info(dataset, data_folder())
        except DataError:
            continue
        if names and info.classes == names:
            found.append((dataset, info))
    return tuple(found)


def training_dataset() -> DatasetChoice | None:
    """Return the dataset that the inspected weights were trained on, if its images are here."""
    training = session.inspected_network().training
    title = training.facts.title if training else ""
    return next((dataset for dataset, info in fitting_datasets() if info.title == title), None)
