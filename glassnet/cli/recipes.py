"""Recipes of ``glassnet train``: parameters for a network and a data set, from the paper or found by trying."""

from __future__ import annotations

from typing import Any

_GATE = {"hidden_layer_sizes": (4,), "activation": "tanh", "learning_rate_init": 0.05, "max_iter": 300, "tol": None}
_PLANE = {
    "hidden_layer_sizes": (16, 16),
    "activation": "tanh",
    "learning_rate_init": 0.01,
    "batch_size": 16,
    "max_iter": 200,
    "tol": None,
}
# pictures are too much alike for Hebb's rule
_STORED = {"rule": "pseudo-inverse", "binarize": 0.5}
_LENET = {
    "batch_size": 128,
    "learning_rate": "one-cycle",
    "learning_rate_init": 6e-3,
    "max_iter": 8,
    "tol": None,
}
# a cycle of the learning rate reaches in 22 epochs what the paper's steps do in 164
_RESNET_CIFAR = {
    "solver": "sgd",
    "batch_size": 128,
    "learning_rate": "one-cycle",
    "learning_rate_init": 0.2,
    "alpha": 128 * 5e-4,
    "augment": "crop-flip",
    "precision": "auto",
    "device": "auto",
    "max_iter": 22,
    "tol": None,
}
# He et al. (2016), section 3.4
_RESNET_IMAGENET = {
    "solver": "sgd",
    "nesterovs_momentum": False,
    "batch_size": 256,
    "learning_rate": "step",
    "learning_rate_init": 0.1,
    "alpha": 256 * 1e-4,
    "augment": "flip",
    "precision": "auto",
    "device": "auto",
    "max_iter": 90,
    "tol": None,
}
# Krizhevsky et al. (2012), section 5
_ALEXNET = {
    "solver": "sgd",
    "nesterovs_momentum": False,
    "batch_size": 128,
    "learning_rate": "step",
    "learning_rate_init": 0.01,
    "alpha": 128 * 5e-4,
    "augment": "flip",
    "precision": "auto",
    "device": "auto",
    "max_iter": 90,
    "tol": None,
}
# (network, data) -> parameters that do well where the network's own defaults do not, with "pictures"
# for those at a path; --set has the last word
RECIPES: dict[tuple[str, str], dict[str, Any]] = {
    **{("mlp", gate): _GATE for gate in ("gate-and", "gate-or", "gate-not", "gate-xor")},
    **{("mlp", points): _PLANE for points in ("circle", "xor", "gauss", "spiral")},
    **{("mlp-regressor", points): _PLANE for points in ("reg-plane", "reg-gauss")},
    ("mlp", "digits"): {"batch_size": 32, "max_iter": 100, "tol": None},
    ("mlp", "mnist"): {
        "hidden_layer_sizes": (256, 128),
        "batch_size": 128,
        "learning_rate": "one-cycle",
        "learning_rate_init": 3e-3,
        "max_iter": 12,
        "tol": None,
    },
    ("mlp", "mnist5k"): {"batch_size": 32, "max_iter": 30, "tol": None},
    ("rbm", "mnist"): {"n_components": 256, "momentum": 0.5, "weight_decay": 2e-4, "max_iter": 10},
    ("dbn", "mnist"): {
        "precision": "bfloat16",
        "pretrain_iter": 10,
        "dropout": (0.1, 0.2, 0.4),
        "learning_rate": "one-cycle",
        "max_iter": 25,
    },
    ("dbn-generative", "mnist"): {
        "precision": "bfloat16",
        "learning_rate": "cosine",
        "learning_rate_init": 0.1,
        "max_iter": 15,
    },
    ("dbn-generative", "mnist5k"): {
        "precision": "bfloat16",
        "pretrain_iter": 30,
        "learning_rate": "cosine",
        "learning_rate_init": 0.1,
        "batch_size": 50,
    },
    **{("hopfield", pictures): _STORED for pictures in ("digits", "mnist5k", "mnist")},
    **{("lenet5", data): _LENET | {"augment": "distort"} for data in ("mnist", "mnist5k")},
    **{("lenet5", data): _LENET for data in ("cifar10", "pictures")},
    **{(f"resnet{n}", data): _RESNET_CIFAR for n in (20, 32, 44, 56, 110) for data in ("cifar10", "pictures")},
    **{(f"resnet{n}", data): _RESNET_IMAGENET for n in (18, 34, 50, 101, 152) for data in ("cifar10", "pictures")},
    **{("alexnet", data): _ALEXNET for data in ("cifar10", "pictures")},
    ("transformer", "multi30k"): {
        "vocabulary_size": 5000,
        "d_ff": 512,
        "dropout": 0.1,
        "max_tokens": 2500,
        "learning_rate": "one-cycle",
        "learning_rate_init": 1.5e-3,
        "max_iter": 10,
        "average_last": 2,
        "precision": "bfloat16",
    },
    ("gpt", "text/tinyshakespeare.txt"): {
        "d_model": 160,
        "n_heads": 5,
        "dropout": 0.0,
        "learning_rate_init": 3e-3,
        "max_iter": 7,
        "precision": "bfloat16",
    },
}
