"""Networks as ONNX files, which other programs run.

torch's own exporter (``dynamo=True``) traces the module and writes the graph; the number of
samples in a batch stays open.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import torch
from torch import nn

from glassnet.errors import MissingDependencyError
from glassnet.files import write_whole


def export_onnx(
    module: nn.Module, path: str | Path, input_shape: tuple[int, ...], metadata: Mapping[str, str] | None = None
) -> Path:
    """Write a module, as it is in prediction, to an ONNX file.

    Parameters
    ----------
    module : Module
        Takes one float32 tensor, returns one; on the CPU.
    path : str or Path
    input_shape : tuple of int
        Of one sample.
    metadata : mapping of str to str, optional
        Kept in the file.

    Returns
    -------
    Path
        ``path``. The file's input is "input", of shape (batch, \\*input_shape), its output "output".

    Raises
    ------
    MissingDependencyError
        If onnx or onnxscript is not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "ONNX files are written by onnx and onnxscript, which are not installed: pip install 'glassnet[onnx]'"
        ) from error
    training = module.training
    try:
        with _quiet():
            program = torch.onnx.export(
                module.eval(), (torch.zeros(2, *input_shape),), dynamo=True, verbose=False,
                input_names=["input"], output_names=["output"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )  # fmt: skip
    finally:
        module.train(training)
    assert program is not None
    program.model.metadata_props.update(metadata or {})
    return write_whole(path, program.model_proto.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says about libraries that it does not find, and about its own code."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
