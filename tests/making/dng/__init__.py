"""DNGs: stated in words, with previews, as random trees, by other writers; denoised; damaged."""
