"""Fits codecs, then the denoiser, from a tile set."""
