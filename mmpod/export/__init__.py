"""A trained classifier as one file: pixels in, scores out, in ONNX, TorchScript or torch.export's format."""
