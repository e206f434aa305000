"""Prints how fast this machine reads, trains and lifts; of the last two the median, after a warm-up.

python scripts/benchmark.py --config configs/cmu16.yaml --only training
"""

from absl import flags
from command_line import configured, run

_ONLY = flags.DEFINE_enum("only", None, ["training", "lifting", "data"], "Time one part; all if not given.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Timings of which the median is printed.", lower_bound=1)


def main() -> None:
    config = configured()

    from tf_wsgen.programs.benchmark import lifting_rate, reading_time, training_rate

    if _ONLY.value in (None, "training"):
        print(f"training: {training_rate(config, _REPEATS.value):.1f} updates/s of {config.training.batch_size} poses")
    if _ONLY.value in (None, "lifting"):
        count = config.evaluation.num_hypotheses
        print(f"lifting: {lifting_rate(config, _REPEATS.value):.0f} poses/s with {count} hypotheses each")
    if _ONLY.value in (None, "data"):
        pairs, seconds, memory = reading_time()
        print(f"data: {pairs:,} frame-camera pairs of VideoPose3D's form in {seconds:.0f} s, peak {memory:.1f} GiB")


if __name__ == "__main__":
    run(main)
