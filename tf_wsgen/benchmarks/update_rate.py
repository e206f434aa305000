"""Prints how many updates a second a configuration makes: python -m tf_wsgen.benchmarks.update_rate FILE REPLICAS."""

import sys
import time

import tensorflow as tf

from tf_wsgen.config import load_config
from tf_wsgen.data.training_data import Source
from tf_wsgen.training.loop import distributed_batches, make_model
from tf_wsgen.training.strategy import make_strategy

CALLS = 8


def main(path: str, replicas: str) -> None:
    """Times calls into TensorFlow, the first left out, in rounds of which the best counts."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * int(replicas))
    config = load_config(path)
    strategy = make_strategy(config.training.strategy)
    data = Source(config.data).training(config.training.seed)
    model = make_model(config, data, strategy)
    model.make_train_function()
    batches = iter(distributed_batches(config, data, strategy))

    def call():
        return next(iter(model.train_function(batches).values())).numpy()

    call()
    rates = []
    # A number of calls, not a time: workers that train together must make the same.
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        rates.append(config.training.steps_per_execution / (time.perf_counter() - start))
    print(max(rates))


if __name__ == "__main__":
    main(*sys.argv[1:])
