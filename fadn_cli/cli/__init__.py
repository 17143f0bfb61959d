"""Arguments in, choices out, to `pipeline` or `batch`, and the answer to `screen`; `app` is all."""
