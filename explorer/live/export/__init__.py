"""Networks to take away: as PyTorch source, as ONNX, as weights. Each room's file imports what it needs and no more."""
