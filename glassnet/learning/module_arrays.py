"""A torch module whose numbers live in the arrays of a `TrainingState`.

All trainable parameters are views of one flat array, "parameters": first those with more
than one dimension, which weight decay shrinks, then biases and scales, which it leaves
alone. Buffers (running statistics) and frozen parameters are arrays of their own,
"buffer:<name>" and "frozen:<name>". On the CPU, arrays and module share their memory; on
another device the module has copies, and `push` and `pull` carry them over.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.errors import InvalidInputError
from glassnet.training.distributed import Group
from glassnet.training.state import ALIGNMENT, aligned


def initial_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    """Return copies of the module's numbers, in the form that `ModuleArrays` binds to.

    Parameters
    ----------
    module : Module

    Returns
    -------
    dict of str to ndarray
        "parameters" of shape (n_parameters,), float32, or float64 where all of them are; "buffer:<name>";
        "frozen:<name>".

    Raises
    ------
    InvalidInputError
        If no parameter is trainable.
    """
    trainable = list(named_trainable(module).values())
    if not trainable:
        raise InvalidInputError(f"{type(module).__name__} has no trainable parameters.")
    dtype = torch.float64 if all(parameter.dtype == torch.float64 for parameter in trainable) else torch.float32
    flat = torch.cat([parameter.detach().reshape(-1).to(dtype).cpu() for parameter in trainable])
    others = {name: owner[key].detach().cpu().numpy().copy() for name, owner, key in _others(module)}
    return {"parameters": flat.numpy(), **others}


def named_trainable(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the trainable parameters by name, in their order in the flat array."""
    trainable = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    return dict(sorted(trainable, key=lambda item: item[1].ndim <= 1))


class ModuleArrays:
    """Binds a module to arrays, in place.

    Parameters
    ----------
    module : Module
        Its parameters become views; their values are the arrays' from now on.
    arrays : dict of str to ndarray
        What `initial_arrays` gave, and optimizer slots. Those that are not aligned in memory are
        replaced by copies that are.
    device : str
        Where the module computes.
    shared : bool, optional
        Whether module and arrays are one memory; by default on the CPU.

    Attributes
    ----------
    tensors : dict of str to Tensor
        The arrays, on the device.
    gradient_and_loss : Tensor of shape (n_parameters + 1,)
        What processes add up after every step; the loss is the last number.
    gradient : Tensor of shape (n_parameters,)
        A view of the former, as is the ``grad`` of every parameter.
    n_decayed : int
        Weight decay is for the first so many parameters.

    Raises
    ------
    InvalidInputError
        If the arrays are those of another module.
    """

    is_sharded = False

    def __init__(
        self, module: nn.Module, arrays: dict[str, np.ndarray], device: str = "cpu", shared: bool | None = None
    ):
        self.module, self.arrays, self.device = module.to(device), arrays, device
        self.shared = device == "cpu" if shared is None else shared
        self._check_fits(arrays)
        for name, array in arrays.items():
            if array.ctypes.data % ALIGNMENT:
                arrays[name] = aligned(array)
        self.tensors = {name: self._tensor(array) for name, array in arrays.items()}
        self.parameters = self.tensors["parameters"]
        self.gradient_and_loss = self.parameters.new_zeros(len(self.parameters) + 1)
        self.gradient = self.gradient_and_loss[:-1]
        self._bind_parameters()
        self._bind_others()

    def _check_fits(self, arrays: dict[str, np.ndarray]) -> None:
        _check_fits(self.module, arrays)

    def _tensor(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor if self.shared else tensor.to(self.device, copy=True)

    def _bind_parameters(self) -> None:
        start = self.n_decayed = 0
        for parameter in named_trainable(self.module).values():
            stop = start + parameter.numel()
            parameter.data = self.parameters[start:stop].view(parameter.shape)
            parameter.grad = self.gradient[start:stop].view(parameter.shape)
            self.n_decayed = stop if parameter.ndim > 1 else self.n_decayed
            start = stop

    @torch.no_grad()
    def _bind_others(self) -> None:
        for name, owner, key in _others(self.module):
            if name.startswith("frozen:"):
                owner[key].data = self.tensors[name]
            else:
                owner[key] = self.tensors[name]

    def begin(self) -> None:
        """Forget the gradient and the loss."""
        self.gradient_and_loss.zero_()

    def add_up(self, group: Group) -> None:
        """Add up the gradient and the loss over all processes."""
        group.add_up(self.gradient_and_loss)

    def norm(self, group: Group) -> float:
        """Return the length of the gradient, after `add_up`."""
        return self.gradient.norm().item()

    def apply(self) -> None:
        """Carry the parameters that a step has changed into the module: they are one memory."""

    def push(self) -> None:
        """Carry the arrays to the device."""
        if not self.shared:
            for name, array in self.arrays.items():
                self.tensors[name].copy_(torch.from_numpy(array))

    @torch.no_grad()
    def pull(self) -> None:
        """Carry the device's numbers back to the arrays, also buffers that the module has replaced."""
        for name, owner, key in _others(self.module):
            if name.startswith("buffer:") and owner[key] is not self.tensors[name]:
                self.tensors[name].copy_(owner[key])
                owner[key] = self.tensors[name]
        if not self.shared:
            for name, array in self.arrays.items():
                torch.from_numpy(array).copy_(self.tensors[name])


def _others(module: nn.Module) -> Iterator[tuple[str, dict, str]]:
    """Yield (name in the arrays, dict that holds it, key there) of buffers and frozen parameters."""
    seen: set[int] = set()
    for prefix, owner in module.named_modules():
        kept = {k: v for k, v in owner._buffers.items() if k not in owner._non_persistent_buffers_set}
        frozen = {k: v for k, v in owner._parameters.items() if v is not None and not v.requires_grad}
        for kind, items, table in (("buffer", kept, owner._buffers), ("frozen", frozen, owner._parameters)):
            for key, value in items.items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{kind}:{prefix}.{key}" if prefix else f"{kind}:{key}", table, key


def _check_fits(module: nn.Module, arrays: dict[str, np.ndarray]) -> None:
    shapes = {"parameters": (sum(prod(p.shape) for p in named_trainable(module).values()),)}
    shapes |= {name: tuple(owner[key].shape) for name, owner, key in _others(module)}
    got = {name: array.shape for name, array in arrays.items() if name in shapes or ":" in name}
    if got != shapes:
        raise InvalidInputError(f"These arrays {got} are not those of {type(module).__name__}, which has {shapes}.")
