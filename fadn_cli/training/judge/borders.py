"""What a wrong specialist costs: ``python -m fadn_cli.training.judge.borders --photos DIR``.

At the noise where one specialist hands over to the next, both denoise the ruler's photographs. The
one thing to know: measured noise is never exact, so neighbours must be equally good there.
"""

import argparse
from pathlib import Path

from fadn_cli.denoise.network import specialists
from fadn_cli.training.judge.evaluate import evaluate, shipped
from fadn_cli.training.judge.ruler import shot_noise_at


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    print("| sigma | below the border | dB | above the border | dB | difference |")
    print("|---|---|---|---|---|---|")
    rows = specialists.bundled()
    for below, above in zip(rows, rows[1:], strict=False):
        if (below.cfa_kind, below.quality) != (above.cfa_kind, above.quality):
            continue
        border = below.noise_range[1]
        levels = {"border": (shot_noise_at(border), 1.0)}
        low, high = (
            evaluate(arguments.photos, shipped(estimated=False, specialist=each.name), levels)[
                "psnr"
            ]["mean"]
            for each in (below, above)
        )
        print(
            f"| {border:.4f} | {below.name} | {low:.2f} | {above.name} | {high:.2f} "
            f"| {high - low:+.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
