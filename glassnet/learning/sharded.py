"""A module whose parameters are shared out: each process holds a part of every one (fully sharded data parallel).

`torch.distributed.fsdp.fully_shard` gathers a layer's parameters while it computes and adds up
their gradients, of which each process then has its own part; so parameters, gradients and
optimizer slots take an N-th of the memory in each of N processes. Parameters are cut along
their first axis. The state's "parameters" and slots are this process's parts, one after the
other, in the order of `glassnet.learning.module_arrays`; buffers and frozen parameters are whole.

References
----------
S. Rajbhandari, J. Rasley, O. Ruwase, Y. He (2020). ZeRO: memory optimizations toward training
trillion parameter models.
Y. Zhao et al. (2023). PyTorch FSDP: experiences on scaling fully sharded data parallel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.errors import InvalidInputError
from glassnet.learning.module_arrays import ModuleArrays, named_trainable
from glassnet.training.distributed import Group
from glassnet.training.state import aligned


class ShardedArrays(ModuleArrays):
    """Binds a module to this process's part of the arrays.

    Parameters
    ----------
    module : Module
        Changed: its parameters become parts.
    arrays : dict of str to ndarray
        What `parts_of` gave.
    device : str
    group : Group
        More than one process.

    Raises
    ------
    InvalidInputError
        If this torch has no fully sharded data parallel.
    """

    is_sharded = True

    def __init__(self, module: nn.Module, arrays: dict[str, np.ndarray], device: str, group: Group):
        _shard(module, device, group.size)
        super().__init__(module, arrays, device, shared=False)

    def _check_fits(self, arrays: dict[str, np.ndarray]) -> None:
        held = sum(part.numel() for part in self._parts())
        if len(arrays["parameters"]) != held:
            raise InvalidInputError(
                f"These arrays hold {len(arrays['parameters'])} numbers of the parameters, but this process's part "
                f"has {held}: a run whose parameters are shared out goes on in as many processes as before."
            )

    def _bind_parameters(self) -> None:
        dimensions = [parameter.ndim for parameter in named_trainable(self.module).values()]
        parts = zip(dimensions, self._parts(), strict=True)
        self.n_decayed = sum(part.numel() for n, part in parts if n > 1)
        self._write()

    def begin(self) -> None:
        """Forget the gradient."""
        super().begin()
        for parameter in self.module.parameters():
            parameter.grad = None

    def add_up(self, group: Group) -> None:
        """Take the gradient of the own part, which has been added up, and add up the loss."""
        gradients = [p.grad for p in named_trainable(self.module).values()]
        flat = [_local(g).reshape(-1) for g in gradients if g is not None]
        torch.cat(flat, out=self.gradient).mul_(group.size)  # torch has averaged it; gloo knows no other way
        group.add_up(self.gradient_and_loss[-1:])

    def norm(self, group: Group) -> float:
        """Return the length of the whole gradient."""
        square = self.gradient.square().sum(dtype=torch.float64)
        group.add_up(square)
        return square.sqrt().item()

    def apply(self) -> None:
        """Carry the parameters that a step has changed into the module."""
        self._write()

    def push(self) -> None:
        """Carry the arrays to the device and into the module."""
        super().push()
        self._write()

    def _parts(self) -> list[Tensor]:
        return [_local(parameter) for parameter in named_trainable(self.module).values()]

    @torch.no_grad()
    def _write(self) -> None:
        parts = self._parts()
        for part, value in zip(parts, self.parameters.split([part.numel() for part in parts]), strict=True):
            part.copy_(value.view_as(part))


def parts_of(arrays: dict[str, np.ndarray], module: nn.Module, group: Group) -> dict[str, np.ndarray]:
    """Return this process's parts of a state's arrays; those that do not belong to parameters stay whole.

    Examples
    --------
    >>> arrays = {"parameters": np.arange(6.0), "buffer:x": np.arange(6.0)}
    >>> net = nn.Linear(1, 3)  # three weights, three biases
    >>> [parts_of(arrays, net, Group(rank, 2))["parameters"].tolist() for rank in range(2)]
    [[0.0, 1.0, 3.0, 4.0], [2.0, 5.0]]
    """
    shapes = [tuple(parameter.shape) for parameter in named_trainable(module).values()]
    stops = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
    slices = []
    for shape, stop in zip(shapes, stops, strict=True):
        size = int(np.prod(shape, dtype=int))
        rows = -(-shape[0] // group.size) * (size // shape[0])  # as torch.chunk cuts the first axis
        start = stop - size
        slices.append(slice(start + min(size, group.rank * rows), start + min(size, (group.rank + 1) * rows)))
    return {
        name: aligned(np.concatenate([array[piece] for piece in slices])) if _is_cut(name, array, stops[-1]) else array
        for name, array in arrays.items()
    }


def wholes_of(arrays: dict[str, np.ndarray], module: nn.Module, group: Group) -> dict[str, np.ndarray]:
    """Return the whole arrays of a state from the parts of all processes; ``module`` is one that is not shared out."""
    n = sum(parameter.numel() for parameter in named_trainable(module).values())
    places = parts_of({"parameters": np.arange(n)}, module, group)["parameters"]
    cut = {name: array for name, array in arrays.items() if _is_cut(name, array, len(places))}
    whole = {name: np.empty(n, array.dtype) for name, array in cut.items()}
    for their_places, theirs in group.gather((places, cut)):
        for name, array in theirs.items():
            whole[name][their_places] = array
    return {name: aligned(whole[name]) if name in whole else array for name, array in arrays.items()}


def _is_cut(name: str, array: np.ndarray, n: int) -> bool:
    return ":" not in name and array.shape == (n,)


def _shard(module: nn.Module, device: str, n: int) -> None:
    """Let torch share out the parameters of every layer that has some, and what is left to the module itself."""
    try:
        from torch.distributed.fsdp import fully_shard
    except ImportError as error:
        raise InvalidInputError(f"sharded=True needs torch 2.6 or newer, this is {torch.__version__}.") from error
    from torch.distributed.device_mesh import init_device_mesh

    mesh, frozen = init_device_mesh(device, (n,)), {p for p in module.parameters() if not p.requires_grad}
    options: dict[str, Any] = {"ignored_params": frozen} if frozen else {}
    layers = [part for part in module.modules() if part is not module and [*part.parameters(recurse=False)]]
    for layer in [*layers, module]:
        fully_shard(layer, mesh=mesh, **options)


def _local(tensor: Any) -> Tensor:
    """Return this process's part of a tensor that is shared out."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor
