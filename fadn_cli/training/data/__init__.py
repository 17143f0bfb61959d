"""What it is trained on: photographs in, clean mosaics and noisy ones of random cameras out."""
