"""Configuration: YAML and shell texts in, typed frozen fields out, mistakes named with their place."""

import pytest
import yaml

from tf_wsgen.config import Config, load_config
from tf_wsgen.errors import InputError
from tf_wsgen.sections import DataConfig, OptimizerConfig, TrainingConfig


@pytest.fixture
def load(tmp_path):
    def load(text: str) -> Config:
        path = tmp_path / "run.yaml"
        path.write_text(text)
        return load_config(path)

    return load


def test_an_empty_file_is_the_defaults(load):
    assert load("") == Config()


# What the paper states (section 3 of the method's description), not whatever the code says.
PAPERS = """
network: {width: 1024, code_size: 1024, num_features: 8}
loss: {weight_gradient_penalty: 0.1, weight_2d: 10, weight_camera: 10, weight_diversity: 7.5, weight_reconstruction: 10,
  dot_weight: 10, diversity_threshold: 1}
optimizer: {learning_rate: 1.0e-4, beta_1: 0.5, beta_2: 0.9, decay_rate: 0.94, decay_updates: null}
training: {batch_size: 64, num_codes: 2}
evaluation: {num_hypotheses: 10}
"""


def test_defaults_are_the_papers():
    defaults = Config().to_dict()
    for section, fields in yaml.safe_load(PAPERS).items():
        assert defaults[section] == defaults[section] | fields


def test_a_file_changes_what_it_names_and_nothing_else(load):
    config = load("loss: {weight_2d: 20}\ntraining: {seed: 3}\n")
    expected = Config().to_dict()
    expected["loss"]["weight_2d"] = 20.0
    expected["training"]["seed"] = 3
    assert config.to_dict() == expected


@pytest.mark.parametrize(
    ("yaml_text", "field", "expected"),
    [
        # YAML 1.1 takes a number without a dot before the exponent for a text.
        ("optimizer: {learning_rate: 1e-4}", "optimizer.learning_rate", 1e-4),
        ("optimizer: {learning_rate: 2.5e-4}", "optimizer.learning_rate", 2.5e-4),
        ("training: {updates: 2e5}", "training.updates", 200_000),
        ("loss: {weight_2d: 20}", "loss.weight_2d", 20.0),
        ("training: {jit_compile: false}", "training.jit_compile", False),
        ("optimizer: {decay_updates: 100}", "optimizer.decay_updates", 100),
        ("optimizer: {decay_updates: null}", "optimizer.decay_updates", None),
        ("evaluation: {bandwidth: 1}", "evaluation.bandwidth", 1.0),
        ("data: {path: 'people.h5'}", "data.path", "people.h5"),
    ],
)
def test_values_from_yaml_have_the_fields_type(load, yaml_text, field, expected):
    value = load(yaml_text).get(field)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("loss.weight_2d=20", 20.0),
        ("optimizer.learning_rate = 1e-3", 1e-3),
        ("training.updates=1e3", 1000),
        ("training.jit_compile=False", False),
        ("training.jit_compile=TRUE", True),
        ("optimizer.decay_updates=none", None),
        ("optimizer.decay_updates=7", 7),
        ("evaluation.bandwidth=0.05", 0.05),
        ("data.path=a=b.h5", "a=b.h5"),
        ("data.path=1e-4", "1e-4"),
    ],
)
def test_values_from_flags_have_the_fields_type(assignment, expected):
    value = Config().override_from_flags([assignment]).get(assignment.partition("=")[0].strip())
    assert value == expected
    assert type(value) is type(expected)


def test_of_two_flags_for_a_field_the_last_wins_and_other_fields_of_the_section_stay():
    config = Config().override_from_flags(["loss.weight_2d=20", "loss.weight_camera=3", "loss.weight_2d=30"])
    assert (config.loss.weight_2d, config.loss.weight_camera) == (30.0, 3.0)


@pytest.mark.parametrize(
    ("yaml_text", "message"),
    [
        ("losses: {weight_2d: 1}", "unknown section 'losses'; the nearest known name is 'loss'"),
        ("loss: {weight_2D: 1}", r"unknown field 'loss\.weight_2D'; the nearest known name is 'loss\.weight_2d'"),
        ("training: {updatess: 1}", r"'training\.updatess'; the nearest known name is 'training\.updates'"),
        ("loss:", "section 'loss' holds None; expected fields"),
        ("loss: 3", "section 'loss' holds 3; expected fields"),
        ("[1, 2]", "holds a list; expected sections"),
        ("just a text", "holds a str; expected sections"),
        ("loss: {weight_2d: ", "not a YAML file"),
        ("training: {updates: 1.5}", r"training\.updates is 1\.5; expected int"),
        ("training: {updates: many}", r"training\.updates is 'many'; expected int"),
        ("training: {updates: true}", r"training\.updates is True; expected int"),
        ("training: {updates: null}", r"training\.updates is None; expected int"),
        ("training: {jit_compile: 1}", r"training\.jit_compile is 1; expected bool"),
        ("training: {batch_size: [64]}", r"training\.batch_size is \[64\]; expected int"),
        ("loss: {weight_2d: true}", r"loss\.weight_2d is True; expected float"),
        ("loss: {weight_2d: .nan}", r"loss\.weight_2d is nan; expected float"),
        ("loss: {weight_2d: inf}", r"loss\.weight_2d is inf; expected float"),
        ("data: {path: 3}", r"data\.path is 3; expected str"),
        ("optimizer: {decay_updates: x}", r"optimizer\.decay_updates is 'x'; expected int"),
        ("evaluation: {bandwidth: []}", r"evaluation\.bandwidth is \[\]; expected float or null"),
    ],
)
def test_a_mistake_in_a_file_is_refused_with_the_files_name(load, yaml_text, message):
    with pytest.raises(InputError, match=r"run\.yaml: .*" + message):
        load(yaml_text)


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_bytes(b"\x89HDF\xff\xfe")
    with pytest.raises(InputError, match=r"run\.yaml: not a YAML file"):
        load_config(tmp_path / "run.yaml")


@pytest.mark.parametrize(("name", "reason"), [("missing.yaml", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, reason):
    with pytest.raises(InputError, match=f"cannot be read as a configuration .*{reason}"):
        load_config(tmp_path / name)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("weight_2d=20", r"expected SECTION\.FIELD=VALUE; the nearest known name is 'loss\.weight_2d'"),
        ("loss.weight_2d", r"expected SECTION\.FIELD=VALUE"),
        ("loss.weigth_2d=20", r"the nearest known name is 'loss\.weight_2d'"),
        ("lost.weight_2d=20", "unknown section 'lost'; the nearest known name is 'loss'"),
        ("training.seed=1.5", r"training\.seed is 1\.5; expected int"),
        ("training.seed=", r"training\.seed is ''; expected int"),
        ("training.jit_compile=yes", r"training\.jit_compile is 'yes'; expected bool"),
    ],
)
def test_a_mistake_in_a_flag_is_refused_with_the_flags_text(assignment, message):
    with pytest.raises(InputError, match=message) as raised:
        Config().override_from_flags(["network.width=8", assignment])
    assert assignment in str(raised.value)
    assert "network.width" not in str(raised.value)


# A value out of range, and one just inside.
RANGES = """
network:    {width: [0, 1], num_features: [-1, 1]}
loss:       {laplace_scale: [0.0, 1.0e-9], weight_gradient_penalty: [-0.1, 0.0], weight_2d: [-1.0, 0.0],
             weight_diversity: [-1.0e-9, 0.0]}
optimizer:  {learning_rate: [0.0, 1.0e-9], beta_1: [1.0, 0.0], beta_2: [-0.1, 0.999], decay_rate: [0.0, 1.0],
             decay_updates: [0, 1]}
training:   {updates: [0, 10], batch_size: [1, 2], num_codes: [1, 2], seed: [2147483648, 2147483647],
             ema_momentum: [1.0, 0.999], strategy: [parameter_server, mirrored], evaluate_every: [15, 30],
             steps_per_execution: [7, 20]}
evaluation: {num_hypotheses: [0, 1], bandwidth: [0.0, 1.0e-3], diversity_chosen: [101, 100], diversity_pool: [4, 5]}
data:       {validation_fraction: [1.0, 0.0]}
tuning:     {tuner: [grid, hyperband], objective: [p2, energy_score], max_trials: [0, 1], updates: [0, 1],
             seed: [-1, 0], calibration_weight: [-1.0, 0.0], factor_2d: [0.99, 1.0],
             factor_gradient_penalty: [0.5, 1.0], hyperband_factor: [1, 2], hyperband_rounds: [0, 1]}
"""
RANGED = [(f"{section}.{name}", *pair) for section, f in yaml.safe_load(RANGES).items() for name, pair in f.items()]


# `updates` is a multiple of `steps_per_execution`, which is 10.
@pytest.mark.parametrize(
    ("field", "bad", "good"),
    [*RANGED, ("training.updates", 15, 20), ("training.seed", -1, 0), ("tuning.seed", 2**31, 1)],
)
def test_values_out_of_range_are_refused_and_their_neighbours_taken(field, bad, good):
    section, name = field.split(".")
    with pytest.raises(InputError, match=field.replace(".", r"\.")):
        Config().override({section: {name: bad}}, "test")
    assert Config().override({section: {name: good}}, "test").get(field) == good


def test_a_generator_without_a_term_is_refused():
    weights = {f"weight_{name}": 0.0 for name in ("adversarial", "2d", "camera", "diversity", "reconstruction")}
    with pytest.raises(InputError, match="loss has no term to train the generator"):
        Config().override({"loss": weights}, "test")
    assert Config().override({"loss": weights | {"weight_median": 1.0}}, "test").loss.needs_pairs


def test_a_configuration_of_before_the_search_existed_still_loads(load):
    older = Config().to_dict()
    del older["tuning"]
    assert load(yaml.safe_dump(older)) == Config()


def test_fields_that_depend_on_each_other_are_checked_together():
    # Each of these alone would contradict the defaults of the others.
    values = {"updates": 28, "evaluate_every": 14, "steps_per_execution": 7}
    assert Config().override({"training": values}, "test").training.steps_per_execution == 7


def test_a_saved_configuration_loads_as_itself(load):
    config = Config(
        data=DataConfig(path="Häuser/menschen.h5", validation_fraction=0.1),
        optimizer=OptimizerConfig(learning_rate=3e-5, epsilon=1e-8, decay_updates=12),
        training=TrainingConfig(updates=20, jit_compile=False, strategy="mirrored"),
    )
    assert load(config.to_yaml()) == config


def test_override_leaves_the_original():
    config = Config()
    config.override({"loss": {"weight_2d": 1}}, "test")
    assert config.loss.weight_2d == 10.0
