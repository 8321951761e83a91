"""The live network in PyTorch. The modules in here are the only ones that import torch; this file does not."""
