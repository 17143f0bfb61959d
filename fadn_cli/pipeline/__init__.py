"""One photograph: a raw file and what the user chose in, a denoised file and a report out.

`file.denoise_file` is the whole story. `batch`, `compare`, `demo` and `cli` call it.
"""
