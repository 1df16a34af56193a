"""ONNX files run in onnxruntime give what the modules give, for any number of samples."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from glassnet.inspect.onnx_export import export_onnx
from glassnet.networks.lenet import LeNet5
from glassnet.networks.resnet import ResNet


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: LeNet5("modern"), (1, 28, 28)),
        (lambda: LeNet5("1998"), (1, 32, 32)),
        (lambda: ResNet(20), (3, 32, 32)),
    ],
)
def test_onnxruntime_gives_the_module_s_outputs(tmp_path, make, shape):
    torch.manual_seed(0)
    module = make()
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    module.train()
    session = onnxruntime.InferenceSession(export_onnx(module, tmp_path / "m.onnx", shape, {"classes": "ab"}))
    assert module.training
    assert session.get_modelmeta().custom_metadata_map == {"classes": "ab"}
    module.eval()
    for n in (1, 3):
        x = torch.randn(n, *shape)
        (output,) = session.run(["output"], {"input": x.numpy()})
        np.testing.assert_allclose(output, module(x).detach().numpy(), rtol=1e-4, atol=1e-4)
