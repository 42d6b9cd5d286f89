"""What this process runs on: processors, memory, disk, and the GPU that ZeroGPU lends."""
