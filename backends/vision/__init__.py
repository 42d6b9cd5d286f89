"""Classifiers of pictures: a network in this process, through onnxruntime, or one behind a server's address."""
