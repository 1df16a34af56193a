"""``glassnet train``: fit a network to a data set, say how well it does, keep it in a folder."""

from __future__ import annotations

import json
import sys
import time
from ast import literal_eval
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.figures import draw_figures
from glassnet.cli.recipes import RECIPES
from glassnet.cli.texts import TEXT_ACTS, load_texts
from glassnet.cli.watching import STAGED, say_interrupted, spent_before, taken_up, watching
from glassnet.errors import DivergedError, InvalidInputError, RunFolderError, UnknownNameError
from glassnet.registry import DATA, MODULE_ESTIMATORS, MODULES, NETWORKS, TEXT_ESTIMATORS, resolve

if TYPE_CHECKING:
    from glassnet.data import Dataset

# networks whose fit keeps every epoch
KEEPING = MODULES | TEXT_ESTIMATORS


def train(
    network: Annotated[str, typer.Argument(help="What to train; see `glassnet list networks`.")],
    data: Annotated[
        str | None,
        typer.Option("--data", help="What to train it on: a name of `glassnet list data`, or a path."),
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Language of --data, or a file of sentences.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="The same for the translations.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the network; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the trained network and figures.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides everything that is random.")] = 0,
    resize: Annotated[
        int | None, typer.Option("--resize", min=1, metavar="SIDE", help="Scale picture files to SIDE x SIDE pixels.")
    ] = None,
    per_class: Annotated[
        int | None, typer.Option("--per-class", min=1, metavar="N", help="Take at most N picture files of each class.")
    ] = None,
    skip_corrupt: Annotated[
        bool, typer.Option("--skip-corrupt", help="Leave out pictures that do not decode.")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Decode pictures as they are needed, and not once to the disk.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last epoch that is kept in --out.")] = False,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="FILE", help="JSON file for what was reached, and how."),
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--jsonl", metavar="FILE", help="File for a line of JSON after every epoch.")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", metavar="FOLDER", help="Folder for TensorBoard's events.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and no progress.")] = False,
) -> None:
    """Train a network and say how well it does on held-out data."""
    from glassnet.training.distributed import current

    if out is not None and out.exists() and not out.is_dir():
        raise RunFolderError(f"--out {out} is a file; it must be a folder.")
    network_class, parameters = _class_of(network)
    _check_resume(resume, network, out)
    recipe = RECIPES.get((network, data if data and (data in DATA or network in TEXT_ESTIMATORS) else "pictures"), {})
    parameters |= recipe | parse_settings(settings or [])
    estimator = build(network_class, parameters, seed)
    texts = network in TEXT_ESTIMATORS
    how: Any = (seed,) if texts else (resize, skip_corrupt, per_class, stream)
    load: Any = load_texts if texts else _load
    dataset: Any = current().agree(lambda: load(network, data, source, target, *how))
    fit, measure, keep = TEXT_ACTS if texts else _ACTS
    _check_kind(network, estimator, dataset)
    if hasattr(estimator, "recall"):
        from glassnet.cli.memories import patterns_of

        dataset = patterns_of(dataset)
    if network in MODULES and estimator.image_shape is None:
        estimator.set_params(image_shape=dataset.image_shape)
    kept = out / "checkpoints" if out is not None and network in KEEPING else None
    if network in STAGED and out is not None:
        kept, estimator = out, taken_up(estimator, out, resume)
    diverged: DivergedError | None = None
    options = watching(estimator, kept, resume, log, tensorboard)
    start = time.perf_counter() - spent_before(options)
    try:
        _show_progress(estimator, not as_json and current().leads)
        fit(estimator, dataset, **options)
    except (KeyboardInterrupt, SystemExit) as stop:
        say_interrupted(estimator, kept)
        raise SystemExit(130 if isinstance(stop, KeyboardInterrupt) else stop.code) from None
    except DivergedError as error:
        if out is None or network in STAGED or getattr(estimator, "sharded", False):
            raise  # stages are kept as they go, and a part of the weights is no network
        diverged = error  # the best weights seen are kept all the same
    if not current().leads:
        return  # of several processes, one measures, saves and prints
    result = {"network": network, "data": data or dataset.name, "seed": seed} | measure(estimator, dataset)
    _show_progress(estimator, False)
    result |= {"note": dataset.note} if getattr(dataset, "note", None) else {}
    result["seconds"] = round(time.perf_counter() - start, 3)
    if out is not None:
        keep(out, estimator, dataset, result)
        result["out"] = str(out)
    if diverged is not None:
        raise diverged
    if record is not None:
        _record(record, estimator, dataset, result)
    print(json.dumps(result) if as_json else _in_words(result))


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Return parameters from ``name=value``; what is no Python value is a string.

    Raises
    ------
    InvalidInputError
        If there is no ``=``.

    Examples
    --------
    >>> parse_settings(["hidden_layer_sizes=100,50", "activation=tanh"])
    {'hidden_layer_sizes': (100, 50), 'activation': 'tanh'}
    >>> parse_settings(["early_stopping=false"])  # as other programs write it
    {'early_stopping': False}
    """
    parameters = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise InvalidInputError(f"--set takes NAME=VALUE, such as max_iter=50; got {setting!r}.")
        text = text.strip()
        if text.lower() in ("true", "false"):
            text = text.capitalize()
        try:
            parameters[name.strip()] = literal_eval(text)
        except (ValueError, SyntaxError):
            parameters[name.strip()] = text
    return parameters


def build(network_class: Any, parameters: dict[str, Any], seed: int) -> Any:
    """Return an estimator with these parameters.

    Raises
    ------
    UnknownNameError
        If it has no such parameter.
    """
    estimator = network_class()
    allowed = estimator.get_params(deep=False)
    for name in parameters:
        if name not in allowed:
            raise UnknownNameError(f"parameter of {network_class.__name__}", name, allowed)
    return estimator.set_params(**{"random_state": seed} | parameters)


def _class_of(network: str) -> tuple[Any, dict[str, Any]]:
    """Return the estimator's class, and the parameters that make it this network."""
    if network in MODULES:
        return resolve(MODULE_ESTIMATORS, "network", "module"), {"module": network}
    return resolve(NETWORKS | MODULES | TEXT_ESTIMATORS, "network", network), {}


def _check_resume(resume: bool, network: str, out: Path | None) -> None:
    if resume and out is None:
        raise InvalidInputError("--resume goes on from what is kept in --out: give that folder.")
    if resume and network not in (*KEEPING, *STAGED):
        names = ", ".join((*KEEPING, *STAGED))
        raise InvalidInputError(f"--resume is for networks that keep every epoch: {names}; got {network}.")


def _load(
    network: str,
    data: str | None,
    source: str | None,
    target: str | None,
    resize: int | None,
    skip_corrupt: bool,
    per_class: int | None,
    stream: bool,
) -> Dataset:
    from glassnet.cli.loading import load_data
    from glassnet.data.dataset import scaled

    if source is not None or target is not None:
        raise InvalidInputError(f"--source and --target are for the transformer; got them for {network}.")
    if data is None:
        raise InvalidInputError("give --data; see `glassnet list data`.")
    dataset = load_data(data, resize, skip_corrupt, per_class, stream)
    return dataset if network in MODULES else scaled(dataset)


def _check_kind(network: str, estimator: Any, dataset: Dataset) -> None:
    from sklearn.base import is_classifier, is_regressor

    if not is_classifier(estimator) and not is_regressor(estimator):
        return  # it learns from X alone
    able = "classification" if is_classifier(estimator) else "regression"
    if able != dataset.kind:
        raise InvalidInputError(f"{network} learns {able}, but {dataset.name} is a {dataset.kind} set.")


def _show_progress(estimator: Any, wanted: bool) -> None:
    """Let a fit show a bar on a terminal, or not; some fits are over at once and have none."""
    if "verbose" in estimator.get_params(deep=False):
        estimator.set_params(verbose=wanted)


def _fit(estimator: Any, dataset: Dataset, **options: Any) -> None:
    estimator.fit(dataset.X_train, dataset.y_train, **options)


def _measure(estimator: Any, dataset: Dataset) -> dict[str, Any]:
    from glassnet.cli.memories import pseudo_likelihood, recalled

    if hasattr(estimator, "recall"):
        return recalled(estimator)
    if not hasattr(estimator, "predict"):
        return {"epochs": estimator.n_iter_} | pseudo_likelihood(estimator, dataset)
    measure = "accuracy" if dataset.kind == "classification" else "r2"
    parts = {"train": (dataset.X_train, dataset.y_train), "test": (dataset.X_test, dataset.y_test)}
    return {"epochs": estimator.n_iter_} | {
        f"{part}_{measure}": round(float(estimator.score(X, y)), 6) for part, (X, y) in parts.items()
    }


def _keep(folder: Path, estimator: Any, dataset: Dataset, result: dict[str, Any]) -> None:
    """Write the run folder: the network, what it was trained on, how well it does, its figures."""
    from glassnet.training.run_folder import save_run

    about = {
        "data": result["data"],
        "data_sha256": dataset.sha256,
        "target_names": list(dataset.target_names),
        "feature_names": [] if dataset.image_shape else list(dataset.feature_names),
        "image_shape": dataset.image_shape,
        "metrics": {name: value for name, value in result.items() if name not in ("network", "data")},
    }
    save_run(folder, estimator, about)
    draw_figures(folder, estimator, dataset)


# what is done with an estimator of samples; TEXT_ACTS for those of texts
_ACTS: tuple[Any, ...] = (_fit, _measure, _keep)


def _record(path: Path, estimator: Any, dataset: Dataset, result: dict[str, Any]) -> None:
    """Write what was done, and the parameters that are not the network's own defaults."""
    from glassnet.training.recipe_record import command_of, recipe_record, write_record

    about, defaults = dict(result), type(estimator)().get_params(deep=False)
    parameters = {name: value for name, value in estimator.get_params(deep=False).items() if value != defaults[name]}
    command = command_of(sys.argv[1:])
    network, _, seed = (about.pop(name) for name in ("network", "data", "seed"))
    seconds, _ = about.pop("seconds"), about.pop("out", None)
    record = recipe_record(command, dataset.sha256, seed, seconds, about, network=network, parameters=parameters)
    write_record(path, record)


def _in_words(result: dict[str, Any]) -> str:
    """Return the result as lines for a reader.

    Examples
    --------
    >>> print(_in_words({"test_accuracy": 0.975, "epochs": 30, "seconds": 2.0, "out": "runs/digits"}))
    test accuracy  97.50%
    epochs         30
    seconds        2.0
    out            runs/digits
    """
    lines = []
    for name, value in result.items():
        shown = f"{value:.2%}" if name.endswith(("accuracy", "right", "exactly")) else value
        lines.append(f"{name.replace('_', ' '):<14} {shown}")
    return "\n".join(lines)
