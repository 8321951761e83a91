"""Units: the stages of a network that a walk passes."""

from explorer.units import INPUT, Unit, one_stage_back, stage_of


def test_a_walk_goes_from_the_answer_to_a_pixel_in_five_stages() -> None:
    """Class, 5b, stage 4, stage 3, stem, pixel; a pool between two stages is in none."""
    paths = [
        "classifier.fc",
        "classifier.pool",
        "inception_5b.branch_1x1.conv",
        "pool4",
        "inception_4e.branch_1x1.conv",
    ]
    paths += ["pool3", "inception_3a.branch_1x1.conv", "stem.pool2", "stem.conv1", INPUT]
    units = [Unit(path, 0) for path in paths]
    assert ["head", "head", "5", "", "4", "", "3", "stem", "stem", "input"] == [stage_of(unit) for unit in units]
    places, place = [], 0
    while step := one_stage_back(units[place:]):
        place += step
        places.append(paths[place])
    assert [paths[2], paths[4], paths[6], "stem.pool2", INPUT] == places
