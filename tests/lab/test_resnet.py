from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch.nn import functional as F

from glassnet import ModuleClassifier, advance, load_trained
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.lab import shown_networks
from glassnet.lab.exhibits import resnet_rooms
from glassnet.lab.exhibits.resnet import ResNetExhibit, ResNetSettings
from glassnet.lab.exhibits.resnet_rooms import digits
from glassnet.lab.photos import fit_photo, read_photo, sample_photo
from glassnet.lab.session import Session
from glassnet.networks.resnet import ResNet, narrow_resnet
from glassnet.training.run_folder import save_run
from glassnet.training.weight_files import save_weights

RACE = {"mode": "depth", "shallow": 4, "deep": 8, "maps": 3}


def exhibit(step: int = 0, own=None, **settings) -> ResNetExhibit:
    made = ResNetExhibit(ResNetSettings(**settings), own)
    if step:
        made.step(step)
    return made


def printed(shown: ResNetExhibit) -> list[str]:
    run = subprocess.run([sys.executable, "-c", shown.python()], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


@pytest.fixture
def no_network():
    yield
    shown_networks._offered.clear()


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_the_answer_is_that_of_the_estimator():
    net = load_trained("resnet20-cifar10")
    x = fit_photo(sample_photo("china"), (32, 32))
    probability = net.predict_proba(x.reshape(1, -1))[0]
    best = exhibit(picture="china").frame().values["best"]
    np.testing.assert_allclose([p for _, p in best], np.sort(probability)[::-1][:5], rtol=1e-4)


def test_a_block_adds_its_branch_to_its_shortcut():
    shown = exhibit(look_layer=5, look_map=20, look_row=3, look_column=4)  # layer2.0: it halves
    unit, network = shown.frame().values["unit"], shown_networks.shown_network("resnet20")
    assert unit["output"] == pytest.approx(max(0.0, unit["branch"] + unit["shortcut"]), abs=1e-5)
    x = torch.from_numpy(fit_photo(sample_photo("flower"), (32, 32)))[None]
    with torch.no_grad():
        below = network.module.layer1(network.module.relu(network.module.bn1(network.module.conv1(x))))
        block = network.module.layer2[0]
        branch = block.bn2(F.conv2d(block.relu(block.bn1(block.conv1(below))), block.conv2.weight, padding=1))
        shortcut = F.pad(below[:, :, ::2, ::2], (0, 0, 0, 0, 0, 16))
    assert unit["branch"] == pytest.approx(branch[0, 19, 2, 3].item(), abs=1e-4)
    assert unit["shortcut"] == pytest.approx(shortcut[0, 19, 2, 3].item(), abs=1e-5)


def test_the_script_of_a_photo_prints_the_numbers_of_the_page():
    shown = exhibit(look_layer=3, look_map=2)
    values, lines = shown.frame().values, printed(shown)
    assert lines[:5] == [f"{name}: {probability:.4f}" for name, probability in values["best"]]
    unit = values["unit"]
    assert lines[5:] == [f"{key} {unit[key]:.4f}" for key in ("output", "shortcut", "branch")]


def test_alexnet_has_the_papers_form_and_claims_no_answer():
    shown = exhibit(network="alexnet", look_layer=1, look_row=30)
    frame = shown.frame()
    assert frame.values["isTrained"] is False
    assert frame.values["best"] == []
    assert frame.values["parameters"] == 60_965_224
    assert [layer["shape"] for layer in frame.values["layers"]][:2] == [[96, 55, 55], [96, 27, 27]]
    assert frame.arrays["filters"].shape == (64, 11, 11, 3)
    assert printed(shown) == ["untrained: no answer", f"output {frame.values['unit']['output']:.4f}"]


def test_a_photo_of_ones_own_is_read_and_kept_small():
    wide = np.zeros((200, 2000, 3), np.uint8)
    wide[:, 900:1100] = (255, 128, 0)
    photo = read_photo(png(wide))
    assert photo.shape == (51, 512, 3)
    session = Session(ResNetExhibit)
    session._own = photo
    shown = exhibit(own=photo, picture="own")
    colours = shown.frame().arrays["input"][0]
    assert np.abs(colours[16, 16].astype(int) - (255, 128, 0)).max() <= 2
    with pytest.raises(InvalidInputError, match="Open a photo"):
        exhibit(picture="own").frame()
    with pytest.raises(InvalidInputError, match="not a picture"):
        read_photo(b"no")


def test_a_run_of_ones_own_is_looked_through(tmp_path, no_network):
    with pytest.raises(InvalidInputError, match="glassnet lab --network RUN"):
        exhibit(network="own").frame()
    X, y = np.random.default_rng(0).random((20, 3, 16, 16), np.float32), np.arange(20) % 2
    net = ModuleClassifier("resnet20", max_iter=1, tol=None, random_state=0).fit(X, y)
    about = {"target_names": ["cat", "dog"]}
    shown_networks.offer(save_run(tmp_path / "pets", net, about))
    shown = exhibit(network="own")
    values = shown.frame().values
    assert {name for name, _ in values["best"]} == {"cat", "dog"}
    assert values["layers"][0]["shape"] == [16, 16, 16]
    x = fit_photo(sample_photo("flower"), (16, 16)).reshape(1, -1)
    assert values["best"][0][1] == pytest.approx(net.predict_proba(x).max(), rel=1e-3)
    assert printed(shown)[0] == "{}: {:.4f}".format(*values["best"][0])


def test_a_checkpoint_with_torchvisions_names_is_looked_through(tmp_path, no_network):
    torch.manual_seed(0)
    save_weights(ResNet(18).eval(), tmp_path / "r18.safetensors")
    shown_networks.offer(f"resnet18={tmp_path / 'r18.safetensors'}")
    frame = exhibit(network="own").frame()
    assert frame.values["parameters"] == 11_689_512
    assert frame.values["layers"][0] == {"name": "relu", "shape": [64, 112, 112]}
    assert len(frame.values["layers"]) == 9
    with pytest.raises(UnknownNameError, match="resnet18"):
        shown_networks.offer(f"resnet19={tmp_path / 'r18.safetensors'}")


def test_the_race_is_four_fits():
    shown = exhibit(25, **RACE)
    values, (X, y) = shown.frame().values, digits()
    for k, (residual, depth) in enumerate(((False, 4), (False, 8), (True, 4), (True, 8))):
        net = ModuleClassifier(
            narrow_resnet, module_options={"depth": depth, "width": 3, "residual": residual}, image_shape=(8, 8),
            solver="sgd", batch_size=32, learning_rate_init=0.05, random_state=0,
        )  # fmt: skip
        losses = advance(net.initialize(X, y), 25)
        assert values["losses"][k] == pytest.approx(losses[-20:].mean(), rel=1e-4)
        drawn = shown.frame().arrays[f"losses{k}"]
        np.testing.assert_allclose(drawn[24], [25, losses[5:25].mean()], rtol=1e-4)
    shown.seek(9)
    assert shown.frame().values["losses"][0] == pytest.approx(exhibit(9, **RACE).frame().values["losses"][0], rel=1e-6)


def test_the_script_of_the_race_prints_the_numbers_of_the_page():
    shown = exhibit(12, **RACE)
    lines = printed(shown)
    assert lines[1::2] == [f"loss {loss:.4f}" for loss in shown.frame().values["losses"]]
    sizes = shown.scene().values["parameters"]
    assert lines[0] == f"plain 4 layers, {sizes[0]} parameters"


def test_a_narrow_residual_net_is_its_plain_one_with_shortcuts():
    plain, residual = narrow_resnet(8, 4, residual=False), narrow_resnet(8, 4)
    assert [p.shape for p in plain.parameters()] == [p.shape for p in residual.parameters()]
    assert sum(isinstance(part, torch.nn.Conv2d) for part in residual.modules()) == 7
    x = torch.rand(2, 4, 8, 8)
    block = residual.layer1[0].eval()
    assert torch.equal(block(x), torch.relu(block.branch(x) + x))
    with pytest.raises(InvalidInputError, match="even number"):
        narrow_resnet(7)


@pytest.mark.parametrize("values", [{"shallow": 30, "deep": 20}, {"deep": 9}, {"picture": "moon"}, {"lookMap": 0}])
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        ResNetSettings().changed(values)


def test_recorded_runs_are_those_of_the_claims_file(tmp_path, monkeypatch):
    monkeypatch.setattr(resnet_rooms, "RESULTS", (tmp_path / "none", tmp_path))
    assert resnet_rooms.recorded_curves.__wrapped__() is None
    curve = {"epoch": [1, 2], "training error": [0.5, 0.25], "test error": [0.6, 0.3]}
    claim = {"name": "plain-residual", "note": "two epochs", "curves": {"plain 20": curve}}
    (tmp_path / "claims-quick.json").write_text(json.dumps({"claims": [{"name": "ridge"}, claim]}))
    recorded = resnet_rooms.recorded_curves.__wrapped__()
    assert (recorded["names"], recorded["file"]) == (["plain 20"], "results/claims-quick.json")
    np.testing.assert_allclose(recorded["arrays"]["recorded0"], [[1, 0.5, 0.6], [2, 0.25, 0.3]])


def test_an_installed_glassnet_holds_the_recorded_runs():
    checkout, package = (folder.parent for folder in resnet_rooms.RESULTS)
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert package.name == "glassnet"
    assert included == {f"results/{name}": f"glassnet/results/{name}" for name in resnet_rooms.RESULT_FILES}
    assert all((checkout / name).is_file() for name in included)
