"""Pictures of whole networks as their papers draw them, compared with the papers' numbers."""

from __future__ import annotations

import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import nn

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.networks.alexnet import AlexNet
from glassnet.networks.attention import MultiHeadAttention
from glassnet.networks.lenet import LeNet5
from glassnet.networks.resnet import resnet20, resnet50
from glassnet.networks.transformer import Transformer
from glassnet.plots.architecture import ArchitectureDisplay
from glassnet.plots.block_diagram import BlockDiagramDisplay
from glassnet.plots.style import THEMES, TIMES


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


@pytest.mark.parametrize("variant", ["1998", "modern"])
def test_lenet_has_the_sizes_of_figure_2_of_the_paper(variant):
    display = ArchitectureDisplay.from_module(LeNet5(variant), torch.zeros(1, 1, 32, 32))
    assert [v.name for v in display.volumes] == ["input", "c1", "s2", "c3", "s4", "c5", "f6", "output"]
    wanted = ["1@32x32", "6@28x28", "6@14x14", "16@10x10", "16@5x5", "120", "84", "10"]
    assert [v.label.replace(TIMES, "x") for v in display.volumes] == wanted
    assert [v.window for v in display.volumes] == [None, (5, 5), (2, 2), (5, 5), (2, 2), (5, 5), None, None]
    display.plot(Figure().subplots())
    assert set(wanted) <= {text.replace(TIMES, "x") for text in texts(display)}


def test_alexnet_has_the_two_streams_of_figure_2_of_the_paper():
    with torch.device("meta"):
        model = AlexNet().eval()
    layers = [name for name, layer in model.named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    display = ArchitectureDisplay.from_module(
        model, torch.zeros(1, 3, 227, 227, device="meta"), layers=layers, streams=2
    )
    per_stream = [(v.maps // v.streams, v.size and v.size[0]) for v in display.volumes]
    convolutions = [(3, 227), (48, 55), (128, 27), (192, 13), (192, 13), (128, 13)]
    assert per_stream == [*convolutions, (2048, None), (2048, None), (1000, None)]
    assert [v.crosses for v in display.volumes[1:]] == [True, False, True, False, False, True, True, True]


def test_fields_are_drawn_to_scale():
    net = nn.Sequential(nn.Conv2d(1, 2, (3, 6)))
    display = ArchitectureDisplay.from_module(net, torch.zeros(1, 1, 12, 12)).plot(Figure().subplots())
    patches = display.ax_.patches
    assert all(isinstance(patch, Rectangle) for patch in patches)
    fields = [patch for patch in patches if patch.get_edgecolor() == to_rgba(THEMES["light"].negative)]
    faces = [patch for patch in patches if patch not in fields]
    assert len(faces) == 1 + 2
    (field,) = fields
    assert field.get_height() / faces[0].get_height() == pytest.approx(3 / 12)
    assert field.get_width() / faces[0].get_width() == pytest.approx(6 / 12)


def test_volumes_that_cannot_be_drawn_are_named():
    net, x = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)), torch.zeros(1, 1, 4, 4)
    with pytest.raises(InvalidInputError, match="'0' has 3 maps, which 2 streams"):
        ArchitectureDisplay.from_module(net, x, streams=2)
    with pytest.raises(UnknownNameError, match="layer: '7'"):
        ArchitectureDisplay.from_module(net, x, layers=["7"])
    with pytest.raises(InvalidInputError, match="no layer to draw"):
        ArchitectureDisplay.from_module(nn.Sequential(nn.ReLU()), x)
    with pytest.raises(InvalidInputError, match=r"join in 'layer1\.0:add'.*ModuleGraphDisplay"):
        ArchitectureDisplay.from_module(resnet20(), torch.zeros(1, 3, 8, 8))
    deep = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(30)))
    with pytest.raises(InvalidInputError, match="30 volumes are too many"):
        ArchitectureDisplay.from_module(deep, x)


def boxes(display, word):
    return [box for box in display.boxes if word in box.text]


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_transformer_of_figure_1(norm_first):
    model = Transformer(90, d_model=32, n_heads=4, d_ff=48, n_layers=3, norm_first=norm_first)
    display = BlockDiagramDisplay.from_transformer(model).plot(Figure().subplots())
    assert [said for *_, said in display.frames] == [f"3{TIMES}", f"3{TIMES}"]
    assert len(boxes(display, "4 heads of 8")) == 3
    assert len(boxes(display, "Masked")) == 1
    assert len(boxes(display, "32 to 48 to 32")) == 2
    assert len(boxes(display, "90 tokens")) == 2
    norms = sum(isinstance(m, nn.LayerNorm) for m in model.modules())
    drawn = len(boxes(display, "Norm"))
    assert drawn == (5 + 2 if norm_first else 5)
    assert norms == 3 * 5 + (2 if norm_first else 0)


def test_every_box_of_a_diagram_is_connected_and_inside():
    displays = [
        BlockDiagramDisplay.from_transformer(Transformer(9, d_model=4, n_heads=2, d_ff=4, n_layers=1)),
        BlockDiagramDisplay.from_attention(MultiHeadAttention(8, 2)),
        BlockDiagramDisplay.from_residual_block(resnet20().layer1[0], torch.zeros(1, 16, 8, 8)),
    ]
    for display in displays:
        left, right, low, high = display._extent()
        ends = [point for arrow in display.arrows for point in (arrow[0], arrow[-1])]
        for box in display.boxes:
            assert left < box.x - box.width / 2
            assert box.x + box.width / 2 < right
            assert low < box.y < high
            if box.kind != "text":
                near = [abs(x - box.x) <= box.width / 2 + 0.01 and abs(y - box.y) <= 0.5 for x, y in ends]
                assert any(near), box.text


@pytest.mark.parametrize("attention", [MultiHeadAttention(24, 3), nn.MultiheadAttention(24, 3)])
def test_both_attention_diagrams_say_the_sizes(attention):
    display = BlockDiagramDisplay.from_attention(attention)
    assert len(boxes(display, "Linear\n24 to 8")) == 3
    assert {box.copies for box in boxes(display, "Linear\n24 to 8")} == {3}
    assert boxes(display, r"\sqrt{8}")
    assert boxes(display, f"3 {TIMES} 8")


def test_residual_blocks_with_and_without_a_projection():
    x = torch.zeros(1, 256, 8, 8)
    display = BlockDiagramDisplay.from_residual_block(resnet50().layer1[1], x)
    wanted = [f"{k} {TIMES} {k} convolution\n{a} to {b}" for k, a, b in ((1, 256, 64), (3, 64, 64), (1, 64, 256))]
    assert [box.text for box in boxes(display, "convolution")] == wanted
    assert boxes(display, "identity")
    projected = BlockDiagramDisplay.from_residual_block(resnet50().layer2[0], x)
    assert [box.text for box in projected.boxes if box.x > 0 and box.kind != "text"] == [
        f"1 {TIMES} 1 convolution\n256 to 512, stride 2",
        "BatchNorm2d",
    ]
    with pytest.raises(InvalidInputError, match="no sum of two paths"):
        BlockDiagramDisplay.from_residual_block(nn.Linear(2, 2), torch.zeros(1, 2))
