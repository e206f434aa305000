"""Many detectors' files to a folder of predictions, by Ray Data: on the cores of one machine, or a cluster's."""

import contextlib
import dataclasses
import glob
import io
import json
import logging
import os
import pathlib
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator

from tqdm import tqdm

import tf_wsgen
from tf_wsgen.errors import InputError
from tf_wsgen.files import check_new, load_json, partial_of, whole_file
from tf_wsgen.programs.predict import PredictOptions, check_options, load_model, predict

# What the predictions of a folder were made with: files that are there stay only if they would be made the same way.
ABOUT = "options.json"
# How often a file is tried again whose worker died: by the machine's memory, or with its machine.
TRIES_AGAIN = 2


def predict_many(pattern: str, options: PredictOptions, folder: pathlib.Path, workers: int) -> None:
    """Lifts every file of a pattern as `predict` does, and writes `folder`/NAME.npz for each NAME.json.

    Files that are there already are left as they are, so that the same command finishes what was stopped. A file that
    cannot be lifted is told, and the others are. Workers load the model once each. They belong to the Ray cluster that
    the environment variable RAY_ADDRESS names, or are this machine's.

    Args:
        pattern: Of the detectors' files, or folders of frames, as the shell has it; ** is any depth.
        options: How to predict.
        folder: Where to write.
        workers: How many processes, of one core each.

    Raises:
        InputError: Before anything is lifted: no file, two that would be written to one place, options, model or folder
            that cannot be used, or no Ray. In the end: files that could not be lifted.
    """
    outputs = _outputs(pattern, folder)
    check_options(options, folder / "any.npz")
    ray = _load_ray()
    about = _about(options)
    done = set() if options.overwrite else _done(folder, about, list(outputs.values()))
    left = {source: output for source, output in outputs.items() if output not in done}
    print(f"{len(outputs):,} files, {len(done):,} of them done before.")
    if not left:
        return
    check_new(folder / ABOUT, overwrite=True)
    # A model that cannot be used is refused here, and not by every worker.
    load_model(options)
    failed, people = {}, 0
    with (
        _without_partial(left.values()),
        _cluster(ray, workers),
        tqdm(total=len(left), unit="file", dynamic_ncols=True, desc="Lifting") as bar,
    ):
        _begin(folder, about, left.values())
        try:
            for row in _rows(ray, left, options, min(workers, len(left))):
                bar.update()
                people += row["people"]
                if row["mistake"]:
                    failed[row["source"]] = row["mistake"]
                tqdm.write(f"\n{row['source']}\n{row['text']}{row['mistake']}".rstrip(), file=sys.stdout)
        except ray.exceptions.RayError as error:
            raise InputError(
                f"Ray stopped ({str(error).strip().splitlines()[-1]}); the same command goes on."
            ) from None
    for source, output in left.items():
        if source not in failed and not output.exists():
            failed[source] = f"{source}: its worker died each time (of a lack of memory?)."
            print(f"\n{failed[source]}")
    print(f"\nWritten: {len(left) - len(failed):,} files in {folder}, {people:,} people.")
    if failed:
        first = next(iter(failed.values()))
        raise InputError(f"{len(failed):,} of {len(left):,} files could not be lifted; the first: {first}")


class Worker:
    """A process that lifts files, one after another, with a model that it loads once.

    Args:
        folder: The working directory, from where relative paths count.
        options: How to predict.
    """

    def __init__(self, folder: str, options: PredictOptions):
        os.chdir(folder)
        # As in `tf_wsgen.programs.command_line.run`; and one thread, for there are as many workers as cores.
        sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ.setdefault(name, "1")
        self.options, self.lifter = options, load_model(options)

    def __call__(self, row: dict) -> dict:
        """Lifts the file `source` to the file `output`: with `people` (a number), `text` and `mistake`, or ""."""
        people, mistake, text = 0, "", io.StringIO()
        try:
            with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
                output = pathlib.Path(row["output"])
                predictions = predict(row["source"], self.options, output, lifter=self.lifter)
            people = len(predictions.frame)
        except InputError as error:
            mistake = str(error)
        except Exception as error:
            # Whatever a file does to a library, the others go on.
            reason = (str(error).splitlines() or [""])[0]
            mistake = f"{row['source']}: {type(error).__name__}: {reason}"
        return {**row, "people": people, "text": text.getvalue(), "mistake": mistake}


def _outputs(pattern: str, folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The file to write for each that the pattern finds."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; expected a folder for the predictions of many files.")
    sources = sorted(glob.glob(pattern, recursive=True))
    if not sources:
        raise InputError(
            f"{pattern}: no file is named so; expected a pattern of files in quotes, such as 'parts/*.json'."
        )
    outputs, sources_of = {}, {}
    for source in sources:
        path = pathlib.Path(source)
        name = path.name if path.is_dir() else path.name.removesuffix(".gz").rpartition(".")[0] or path.name
        output = outputs[source] = folder / f"{name}.npz"
        other = sources_of.setdefault(output, source)
        if other != source:
            raise InputError(f"{source} and {other}: would both be written to {output}; expected names that differ.")
    return outputs


def _load_ray():
    """The module ray, which reports to nobody and is quiet."""
    for name, value in (("RAY_USAGE_STATS_ENABLED", "0"), ("RAY_BACKEND_LOG_LEVEL", "fatal")):
        os.environ.setdefault(name, value)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray  # pyright: ignore[reportMissingImports]
        import ray.data  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise InputError("workers need Ray, which is not installed: pip install 'tf_wsgen[ray]'.") from None
    return ray


def _about(options: PredictOptions) -> dict:
    """What predictions are made with, as JSON has it."""
    names = [field.name for field in dataclasses.fields(PredictOptions) if field.name != "overwrite"]
    about = {"tf_wsgen": tf_wsgen.__version__, **{name: getattr(options, name) for name in names}}
    return json.loads(json.dumps(about))


def _done(folder: pathlib.Path, about: dict, outputs: list[pathlib.Path]) -> set[pathlib.Path]:
    """The outputs that are there; refuses those that were made otherwise."""
    done, file = {output for output in outputs if output.exists()}, folder / ABOUT
    if not done:
        return done
    if not file.exists():
        raise InputError(f"{min(done)}: exists, made otherwise than by --workers; --overwrite replaces it.")
    made = load_json(file, "options of predictions")
    changed = [name for name in about if not isinstance(made, dict) or made.get(name) != about[name]]
    if changed:
        raise InputError(f"{folder}: its predictions were made with another {changed[0]}; --overwrite replaces them.")
    return done


def _begin(folder: pathlib.Path, about: dict, outputs: Iterable[pathlib.Path]) -> None:
    """Removes older predictions, all of them first, then says what the folder's are made with."""
    for output in outputs:
        output.unlink(missing_ok=True)
    with whole_file(folder / ABOUT) as partial:
        partial.write_text(json.dumps(about, indent=1) + "\n")


@contextlib.contextmanager
def _cluster(ray, workers: int) -> Iterator[None]:
    """Joins the cluster that RAY_ADDRESS names, or starts one of so many cores here, and ends it."""
    address, stop = os.environ.get("RAY_ADDRESS"), signal.getsignal(signal.SIGTERM)
    here = {} if address else {"num_cpus": workers, "include_dashboard": False}
    try:
        try:
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **here)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InputError(f"Ray cannot be started ({str(error).splitlines()[0]}).") from None
        # Ray has a handler of its own, which does not say that the program was stopped.
        signal.signal(signal.SIGTERM, stop)
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores < workers:
            raise InputError(f"workers is {workers}; expected at most {cores}, the cores of the cluster {address}.")
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _without_partial(outputs: Iterable[pathlib.Path]) -> Iterator[None]:
    """Removes what workers that were stopped had written of a file."""
    try:
        yield
    finally:
        for output in outputs:
            partial_of(output).unlink(missing_ok=True)


def _rows(ray, files: dict[str, pathlib.Path], options: PredictOptions, workers: int) -> Iterator[dict]:
    """What `Worker` says of each file, as it is done."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # A file whose worker dies again and again is not to stop the others.
    context.max_errored_blocks = -1
    rows = [{"source": source, "output": str(output)} for source, output in files.items()]
    pool = ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2)
    with warnings.catch_warnings():
        # Ray 2.64 will have another way to say it; without it a file is tried for ever.
        warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
        lifted = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            Worker,
            fn_constructor_args=(os.getcwd(), options),
            compute=pool,
            num_cpus=1,
            max_task_retries=TRIES_AGAIN,
        )
    return lifted.iter_rows()
