"""A mistake on a command line: one sentence, exit code 2, and nothing written."""

import pytest

TRAIN, SEARCH, TABLES = ("train", "--workdir", "W"), ("tune", "--workdir", "W"), ("reproduce", "--workdir", "W")
PREDICT = ("predict", "--input", "x.csv", "--output")
REFUSED = [
    (("train",), "--workdir"),
    ((*TRAIN, "--data", "missing.h5"), "missing.h5: there is no such file"),
    ((*TRAIN, "--config", "missing.yaml"), "missing.yaml: cannot be read"),
    ((*TRAIN, "--set", "loss.weight_3d=1"), "nearest known name is 'loss.weight_2d'"),
    ((*TRAIN, "--set", "training.batch_size=1"), "training.batch_size is 1"),
    ((*TRAIN, "--strategy", "tpu"), "one_device"),
    ((*TRAIN, "--strategy", "multi_worker"), "without TF_CONFIG in the environment"),
    ((*TRAIN, "--wrokdir", "V"), "Did you mean: workdir"),
    ((*TRAIN, "stray"), "unexpected argument 'stray'"),
    (("evaluate", "--workdir", "W"), "is not a work directory"),
    (("evaluate",), "either --workdir or --model"),
    (("evaluate", "--model", "pretrained", "--curve", "c.png"), "--curve is of"),
    (("evaluate", "--model", "pretrained", "--noposterior", "--plots", "P"), "expected it without --noposterior"),
    (("export", "--model", "pretrained", "--output", "M", "--onnx", "./M"), "one folder is given twice"),
    (
        ("prepare_data", "--dataset", "bvh", "--source", "W", "--output", "a.h5", "--num_random", "3"),
        "--num_random is given without --cameras random",
    ),
    (("export", "--workdir", "W", "--output", "M"), "is not a work directory"),
    (("predict", "--input", "missing.json", "--output", "a.npz"), "missing.json: there is no such file"),
    ((*PREDICT, "a.txt"), "ends with '.txt'"),
    ((*PREDICT, "a.npz", "--image_size", "640"), "expected WIDTHxHEIGHT"),
    ((*PREDICT, "a.npz", "--format", "posenet"), "format is 'posenet'"),
    (("tune",), "--workdir"),
    ((*SEARCH, "--tuner", "grid"), "<random|hyperband|bayesian>"),
    ((*SEARCH, "--objective", "p2"), "<zero_code_p2|best_hypothesis_p2|energy_score|accuracy_and_calibr"),
    ((*SEARCH, "--set", "tuning.tuner=grid"), "['random', 'hyperband', 'bayesian']"),
    ((*SEARCH, "--max_trials", "0"), "tuning.max_trials is 0"),
    ((*SEARCH, "--max_trials", "many"), "max_trials"),
    (TABLES, "expected --table 1|2|3|4a|4b|5, --figure 3|4, or --all"),
    (("reproduce", "--table", "1"), "--workdir"),
    ((*TABLES, "--table", "6"), "4a"),
    ((*TABLES, "--all", "--figure", "3"), "--all is given with --table or --figure"),
    ((*TABLES, "--figure", "4"), "--figure 4 needs --mpii"),
    ((*TABLES, "--table", "1", "--budget", "0"), "budget"),
    ((*TABLES, "--all", "--set", "training.most_hidden=1"), "training.most_hidden is 1"),
    ((*TABLES, "--all", "--data", "missing.h5"), "missing.h5: there is no such file"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_a_mistake_gets_one_sentence_and_code_2(run_program, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    finished = run_program(*arguments)
    assert finished.returncode == 2, finished.stderr[-2000:]
    assert message in finished.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
