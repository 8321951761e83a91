"""What the terms on screen mean, one sentence or two each: for tooltips, column headings and screen readers."""

from types import MappingProxyType

TERMS = MappingProxyType(
    {
        "parameters": "Trainable numbers of the network at inference, without auxiliary heads: weights, biases, and "
        "BatchNorm's γ and β. Running statistics are not parameters.",
        "in training": "The parameters with those of the auxiliary heads, which exist in training only.",
        "MACs": "Multiply-accumulates of convolutions and fully connected layers for one image, without auxiliary "
        "heads. Biases, pooling, LRN and BatchNorm are not counted.",
        "FLOPs": "Floating-point operations: 2 × MACs, one multiplication and one addition each.",
        "activations": "The outputs of all layers for one image, 4 bytes each, all in memory, ReLU in place.",
        "model size": "The parameters at inference as float32, 4 bytes each; 1 MB = 10⁶ bytes. A file with BatchNorm's "
        "running statistics is a little larger.",
        "receptive field": "Pixels of the image along one side that one position after the last module sees, through "
        "the widest branch: r += (k − 1) · j, then j *= s. It may be larger than the image.",
        "module": "An Inception module: four branches side by side on the same input, joined channel by channel.",
        "#1×1": "Kernels of the 1×1 convolution, the first branch. 0: no such branch.",
        "#3×3 reduce": "Kernels of the 1×1 convolution that reduces the channels in front of the 3×3. Blank: no 1×1 "
        "here, the 3×3 gets all input channels.",
        "#3×3": "Kernels of the 3×3 convolution, the second branch. 0: no such branch.",
        "#5×5 reduce": "Kernels of the 1×1 convolution that reduces the channels in front of the 5×5. Blank: no 1×1 "
        "here, the 5×5 gets all input channels.",
        "#5×5": "Kernels of the 5×5 convolution, the third branch. 0: no such branch.",
        "pool proj": "Kernels of the 1×1 convolution after the 3×3 max pool, the fourth branch. Blank: the pool passes "
        "all channels. 0: no such branch.",
        "in → out": "Channels into the module and out of its concatenation.",
        "H×W": "Height × width of the module's output, in pixels.",
        "stem": "The layers before the first module: they reduce the image to a small feature map.",
        "max pool": "Halves height and width: of each window it passes the largest value on.",
        "auxiliary head": "A small extra classifier on the output of a module. It exists in training only.",
        "classifier": "Averages each channel over all positions; a fully connected layer then gives one number per "
        "class.",
        "image": "The network input: channels × height × width.",
    }
)
