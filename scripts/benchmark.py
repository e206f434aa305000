"""Prints how fast this machine trains and lifts: the median of several timings, after a warm-up.

python scripts/benchmark.py --config configs/cmu16.yaml --only training
"""

from absl import flags
from command_line import configured, run

_ONLY = flags.DEFINE_enum("only", None, ["training", "lifting"], "Time one part; both where not given.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Timings of which the median is printed.", lower_bound=1)


def main() -> None:
    config = configured()

    from tf_wsgen.training.benchmark import lifting_rate, training_rate

    if _ONLY.value != "lifting":
        print(f"training: {training_rate(config, _REPEATS.value):.1f} updates/s of {config.training.batch_size} poses")
    if _ONLY.value != "training":
        count = config.evaluation.num_hypotheses
        print(f"lifting: {lifting_rate(config, _REPEATS.value):.0f} poses/s with {count} hypotheses each")


if __name__ == "__main__":
    run(main)
