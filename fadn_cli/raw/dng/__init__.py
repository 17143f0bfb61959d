"""A source and other samples in, a DNG out: a copy spliced, or one built. `pipeline` calls it."""
