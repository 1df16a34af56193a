"""Any Boolean function and arithmetic from threshold neurons (McCulloch and Pitts 1943)."""

from __future__ import annotations

import numpy as np

from glassnet import LogicNetwork, multiplier, ripple_carry_adder
from glassnet.claims.claim import Claim, Scale, at_most, exactly
from glassnet.claims.picture import curve, finish, panels, svg
from glassnet.networks.arithmetic import run_integers
from glassnet.networks.truth_tables import all_inputs
from glassnet.seeds import generator


def boolean_functions(scale: Scale) -> Claim:
    """Networks of McCulloch-Pitts neurons compute every Boolean function, and arithmetic."""
    rng = generator(0, "truth tables")
    families = {n: _tables(n, scale.pick(200 // n, 65_536), rng) for n in range(1, scale.pick(8, 11))}
    networks = {n: [LogicNetwork.from_truth_table(table) for table in tables] for n, tables in families.items()}
    wrong = sum(
        int((net.truth_table() != table).any())
        for n, tables in families.items()
        for net, table in zip(networks[n], tables, strict=True)
    )
    sizes = {n: [net.n_neurons for net in nets] for n, nets in networks.items()}
    adder, product = ripple_carry_adder(8), multiplier(scale.pick(6, 8))
    wide = rng.integers(2**32, size=(2, 1000))
    return Claim(
        source="W. S. McCulloch and W. Pitts (1943): any arithmetic and logical function",
        measured=(
            exactly(f"Boolean functions computed wrongly, of {sum(map(len, families.values()))}", wrong, 0),
            at_most("layers of the deepest network", max(net.depth for nets in networks.values() for net in nets), 2),
            exactly("wrong sums of two 8-bit numbers, of 65536", _wrong(adder, np.add), 0),
            exactly(
                "wrong sums of two 32-bit numbers, of 1000",
                (run_integers(ripple_carry_adder(32), *wide) != wide.sum(0)).sum(),
                0,
            ),
            exactly(f"wrong products, of {2**product.n_inputs}", _wrong(product, np.multiply), 0),
        ),
        figure=_figure(sizes),
        seeds=(0,),
        note="All functions of up to three inputs; of more inputs, functions drawn at random.",
    )


def _tables(n_inputs: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return all truth tables of ``n_inputs`` where they are few, otherwise ``most`` random ones."""
    n_rows = 2**n_inputs
    if n_rows <= 8 or 2**n_rows <= most:
        return all_inputs(n_rows)
    return rng.integers(2, size=(most if n_rows <= 16 else most // 16 + 1, n_rows))


def _wrong(network: LogicNetwork, operation: np.ufunc) -> int:
    """Count the pairs of numbers for which the network and ``operation`` differ."""
    numbers = np.arange(2 ** (network.n_inputs // 2))
    return int(np.not_equal(run_integers(network, numbers[:, None], numbers), operation.outer(numbers, numbers)).sum())


def _figure(sizes: dict[int, list[int]]) -> str:
    figure, (left, right) = panels(2)
    mean = np.array([np.mean(s) for s in sizes.values()])
    curve(left, 1, list(sizes), mean, "mean")
    curve(left, 0, list(sizes), [max(s) for s in sizes.values()], "largest")
    finish(left, "Neurons for a Boolean function", "inputs", "neurons", log="y")
    bits = np.arange(1, 9)
    for i, (name, build) in enumerate({"adder": ripple_carry_adder, "multiplier": multiplier}.items()):
        curve(right, i, bits, [build(int(b)).n_neurons - build(int(b)).n_relays for b in bits], name)
    finish(right, "Neurons for arithmetic, relays apart", "bits", "neurons", log="y")
    return svg(figure)
