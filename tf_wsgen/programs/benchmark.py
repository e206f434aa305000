"""Prints how fast this machine reads, trains and lifts; of the last two the median, after a warm-up.

python scripts/benchmark.py --config configs/cmu16.yaml --only training
"""

import dataclasses

from tf_wsgen.programs.command_line import ConfigOptions, option


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program."""

    only: str | None = option("Time one part; all if not given.", choices=("training", "lifting", "data"))
    repeats: int = option("Timings of which the median is printed.", 5, least=1)


def main(options: Options) -> None:
    """Times and prints."""
    config = options.configured()

    from tf_wsgen.training.timing import lifting_rate, reading_time, training_rate

    if options.only in (None, "training"):
        print(f"training: {training_rate(config, options.repeats):.1f} updates/s of {config.training.batch_size} poses")
    if options.only in (None, "lifting"):
        count = config.evaluation.num_hypotheses
        print(f"lifting: {lifting_rate(config, options.repeats):.0f} poses/s with {count} hypotheses each")
    if options.only in (None, "data"):
        pairs, seconds, memory = reading_time()
        print(f"data: {pairs:,} frame-camera pairs of VideoPose3D's form in {seconds:.0f} s, peak {memory:.1f} GiB")
