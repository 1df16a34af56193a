"""How fast glassnet is beside other libraries, measured: ``python -m benchmarks``.

One file per workload. A workload is plain data (`benchmarks.harness.workload.Workload`): who
does it, what must come out equal, and what ratio is asked for. ``glassnet`` and each peer
run in their own process, in turns; see `benchmarks.harness.runner`.

To add a workload, write its file with a list ``WORKLOADS`` and name the file here.
"""

from __future__ import annotations

# what can be asked for on the command line -> the module that holds its workloads
FILES: dict[str, str] = {
    "xor": "benchmarks.xor",
    "digits": "benchmarks.digits",
    "mlp_step": "benchmarks.mlp_step",
    "sweep": "benchmarks.sweep",
    "perceptron": "benchmarks.perceptron",
    "adaline": "benchmarks.adaline",
    "hopfield": "benchmarks.hopfield",
    "rbm": "benchmarks.rbm",
    "pictures": "benchmarks.pictures",
    "transformer": "benchmarks.transformer",
    "playground": "benchmarks.playground",
    "trace": "benchmarks.trace",
    "growth": "benchmarks.growth",
    "cold_start": "benchmarks.cold_start",
    "compile": "benchmarks.compile",
    "lab": "benchmarks.lab",
    "processes": "benchmarks.processes",
    "streaming": "benchmarks.streaming",
}
