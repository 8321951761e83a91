"""The torch-free part of what leaves the app: PyTorch source, and how large an export will be."""
