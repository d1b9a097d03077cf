"""The networks: codecs, denoiser, and the flow between noise and latents. Torch modules only, no files."""
