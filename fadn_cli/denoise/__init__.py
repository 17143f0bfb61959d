"""Arrays in, arrays out: the denoising itself, which knows no file, no raw format and no console."""
