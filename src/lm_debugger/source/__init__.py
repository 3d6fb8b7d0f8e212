"""Where models come from: hub, folder, GGUF file, adapter, demo; and their tokens."""
