"""What it would take to denoise the kinds of file that are refused.

Whoever refuses a kind of file in `raw` takes its advice from here. The one thing to know: nothing
is guessed about such files; a mosaic of another kind needs networks that were trained on its kind.
"""

ONLY_BAYER = "only 2x2 Bayer mosaics are denoised"
"""What every refusal ends with."""
X_TRANS = "That would need networks trained on the 6x6 X-Trans pattern, which do not exist yet."
MONOCHROME = "That would need networks trained on mosaics without colours, which do not exist yet."
OTHER_FILTERS = "That would need networks trained on this filter array, which do not exist yet."
FOVEON = "That would need networks trained on three colours in every pixel, which do not exist yet."
NEW_CAMERA = "That would need fadn to know this camera: report it, with a raw file if you can."
ORIGINAL_RAW = "That needs the sensor's own mosaic: denoise the camera's original raw file instead."
FULL_SIZE_RAW = "That needs the sensor's own mosaic: set the camera to full-size RAW."
CALIBRATED_RAW = (
    "That needs the sensor's calibration applied: convert it with Adobe DNG Converter, and denoise "
    "that DNG."
)
INTEGER_RAW = "That needs the sensor's own integers: denoise the raws it was merged from instead."
LOSSLESS_MOSAIC = (
    "Convert it with Adobe DNG Converter to a lossless or uncompressed mosaic DNG of up to 16 bits."
)
