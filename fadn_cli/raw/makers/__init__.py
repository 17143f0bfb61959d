"""What makers hide in their own structures, or LibRaw does -> plain values, for `raw` alone."""
