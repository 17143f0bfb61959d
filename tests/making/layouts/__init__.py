"""DNGs in every layout that the format allows, each with the samples it is to decode to."""
