"""Arrays in, arrays out: the denoising itself. Knows no file, no raw format, no console."""
