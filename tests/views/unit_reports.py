"""Reports on single output values for tests of their charts, without a network that runs."""

import numpy as np

from explorer import PRESETS
from explorer.jobs.inspection import Heat
from explorer.jobs.units import ChannelMap, ChannelMaps, Term, UnitReport, Window
from explorer.unit_arithmetic import (
    BatchNorm,
    batch_normalised,
    biased,
    largest,
    normalised_pixel,
    rectified,
    softmax,
    summed,
)
from explorer.unit_graph import graph_of
from explorer.units import INPUT, Place, Unit
from explorer.views import map_images
from explorer.views.unit_names import Names

NAMES = Names(graph_of(PRESETS["mini"]), ("T-shirt/top", "Trouser & <b>", *(f"class {n}" for n in range(8))))
PNG = map_images.png(np.zeros((28, 28), np.uint8))
HEAT = Heat(png=map_images.png(np.zeros((14, 14), np.uint8)), size=(14, 14), low=0.0, high=1.0)
_NORM = BatchNorm(mean=-0.25, variance=1.0, gamma=2.0, beta=-0.5, epsilon=0.0)

CONV = UnitReport(
    unit=Unit("inception_3a.branch_3x3.conv", 4, 0, 13),
    kind="conv",
    terms=(Term(2, 1.5), Term(0, -0.25), *(Term(3 + n, 0.125) for n in range(14))),
    rest=0.5,
    rest_count=8,
    window=Window(2, -1, 12, ((None,) * 3, (0.5, 1.0, None), (0.25, 0.0, None)), ((1.0, 2.0, -3.0),) * 3),
    steps=rectified(batch_normalised(summed(3.5, 4.0, 216), _NORM)).steps,
    value=7.0,
    bound=1e-4,
    causes=(Unit("inception_3a.branch_3x3.reduce", 2, 0, 13), Unit(INPUT, 0, 1, 27)),
    cause=Place(2, 0, 13),
    output_map=HEAT,
    input_map=HEAT,
    channel_maps=ChannelMaps(
        tuple(ChannelMap(channel, HEAT, ((1.0, 2.0, -3.0),) * 3, HEAT) for channel in (2, 0, 3, 4)),
        HEAT,
        20,
        HEAT,
        (14, 14),
        (14, 14),
    ),
    input_png=PNG,
)
ANSWER = CONV.replace(
    unit=Unit("classifier.fc", 1),
    kind="linear",
    terms=(Term(7, 3.0, 1.5, 2.0), Term(200, -1.0, 0.5, -2.0)),
    rest=0.0,
    rest_count=0,
    window=Window(7, 0, 0, ((1.5,),), ((2.0,),)),
    steps=biased(summed(2.0, 4.0, 2), -0.5).steps,
    value=1.5000001,
    output_map=None,
    input_map=None,
    channel_maps=None,
    softmax=softmax((2.5, 1.5000001, -1.0, -2.0, -3.0, -4.0, -5.0), 1, 5),
)
POOL = CONV.replace(
    unit=Unit("inception_3a.branch_pool.pool", 2, 0, 13),
    kind="max_pool",
    terms=(),
    window=CONV.window._replace(weights=()) if CONV.window else None,
    steps=largest(1.0, 4).steps,
    channel_maps=None,
    value=1.0,
    bound=0.0,
)
PIXEL = UnitReport(
    unit=Unit(INPUT, 0, 3, 5),
    kind=INPUT,
    steps=normalised_pixel(0.5, 0.5, 0.5).steps,
    value=0.5,
    bound=1e-7,
    output_map=HEAT,
    input_png=PNG,
)
ALL = {"conv": CONV, "answer": ANSWER, "pool": POOL, "pixel": PIXEL}
