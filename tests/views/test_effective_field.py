"""The charts of effective receptive fields: a panel per branch before and after training, with numbers and words."""

from xml.etree import ElementTree

from explorer.jobs.units import EffectiveField, EffectiveFields
from explorer.views.effective_field import field_charts, result_text
from tests.views.unit_reports import HEAT

FIELD = EffectiveField(branch="5x5", trained=True, heat=HEAT, field=(-3.0, 2.0, 20.0), within=1.0, effective_side=10)
FOUND = EffectiveFields(block="4a", image_count=3, fields=(FIELD, FIELD.replace(trained=False, effective_side=0)))


def test_each_branch_has_a_panel_before_and_after_training() -> None:
    """Both fields are drawn, cut off at the border of the image."""
    whole = field_charts(FOUND)
    ElementTree.fromstring(f"<div>{whole}</div>")
    assert "These weights: 4a" in whole
    assert "Random weights, before training: 4a" in whole
    assert whole.count("stroke-dasharray") == 4
    assert 'x="-' not in whole


def test_the_text_compares_the_areas() -> None:
    """And says if there is no gradient."""
    assert ("receptive field 20 px, 100.0 % within", "95 % within 10 px,", "25.0 % of its area") == result_text(FIELD)
    assert "no gradient" in result_text(FOUND.fields[1])[1]


def test_random_weights_alone_have_one_row() -> None:
    """Nothing is called trained then."""
    assert "These weights" not in field_charts(FOUND.replace(fields=FOUND.fields[1:]))
