"""Where the boxes of the papers' diagrams stand, and what the networks say goes into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glassnet.errors import InvalidInputError
from glassnet.plots.block_diagram import STEP, WIDTH, Box
from glassnet.plots.style import TIMES

if TYPE_CHECKING:
    from glassnet.inspect.dataflow import Node
    from glassnet.plots.block_diagram import BlockDiagramDisplay

LANE = WIDTH / 2 + 0.45  # where a shortcut passes a column of boxes
NARROW = 1.7

# ------------------------------------------------------------------------------ Transformer


def draw_transformer(drawing: BlockDiagramDisplay, model: Any) -> BlockDiagramDisplay:
    """Draw figure 1 of "Attention Is All You Need", with the sizes of this model."""
    left, right = 0.0, 2 * WIDTH + 1.4
    encoder, decoder = model.encoder.layers, model.decoder.layers
    n_tokens, d_model = model.embedding.weight.shape
    embedded = f"Embedding\n{n_tokens:,} tokens {TIMES} {d_model}"
    heads = f"{encoder[0].self_attention.n_heads} heads of {d_model // encoder[0].self_attention.n_heads}"
    attention, masked = f"Multi-head attention\n{heads}", f"Masked multi-head\nattention, {heads}"
    forward = f"Feed forward\n{d_model} to {encoder[0].feed_forward.linear1.out_features} to {d_model}"

    first = _stack_start(drawing, left, "source tokens", embedded)
    memory = _stack_end(drawing, _stack(drawing, left, first, [attention, forward], encoder, -LANE), model.encoder)
    first = _stack_start(drawing, right, "target tokens, shifted right", embedded)
    top = _stack(drawing, right, first, [masked, attention, forward], decoder, LANE)
    last = _stack_end(drawing, top, model.decoder)
    reader = next(box for box in drawing.boxes if box.x == right and box.text == attention)
    between, height = (left + right) / 2, memory.top[1] + 0.55
    entry = (reader.x - WIDTH / 2, reader.y)
    drawing.arrow(memory.top, (left, height), (between, height), (between, reader.y), entry)
    logits = drawing.box(right, last.y + STEP + 0.3, f"Linear\n{d_model} to {n_tokens:,}", "parameters")
    softmax = drawing.box(right, logits.y + STEP, "Softmax")
    drawing.chain(
        last, logits, softmax, drawing.box(right, softmax.y + STEP, "probabilities of the next token", "text")
    )
    return drawing


def _stack_start(drawing: BlockDiagramDisplay, x: float, tokens: str, embedded: str) -> Box:
    """Add tokens, embedding and the sum with the positions; return the sum."""
    words = drawing.box(x, 0.0, tokens, "text")
    embedding = drawing.box(x, STEP, embedded, "parameters")
    total = drawing.box(x, 2 * STEP, "+", "sum")
    drawing.chain(words, embedding, total)
    side = -1 if x == 0 else 1
    positions = drawing.box(x + side * (WIDTH / 2 + 0.6), 2 * STEP, "positions", "text", width=1.2)
    drawing.arrow((positions.x - side * 0.7, positions.y), (x + side * 0.26, total.y))
    return total


def _stack_end(drawing: BlockDiagramDisplay, last: Box, stack: Any) -> Box:
    """Add the normalization after a stack, if it has one; return its last box."""
    if not any(True for _ in stack.norm.parameters()):
        return last
    norm = drawing.box(last.x, last.y + STEP + 0.3, "Norm", "parameters")
    drawing.chain(last, norm)
    return norm


def _stack(drawing: BlockDiagramDisplay, x: float, start: Box, sublayers: list[str], layers: Any, lane: float) -> Box:
    """Add the sub-layers of one layer, each with its shortcut, in a frame that says how often they come."""
    norm_first = bool(layers[0].add_norm1.norm_first)
    parts = ("Norm", "", "Add") if norm_first else ("", "Add & Norm")
    box, y = start, start.y + STEP + 0.25
    bottom = y - 0.95
    for sublayer in sublayers:
        entry = (x, y - 0.62)
        for part in parts:
            kind = "operation" if part == "Add" else "parameters"
            above = drawing.box(x, y, part or sublayer, kind)
            drawing.chain(box, above)
            box, y = above, y + STEP
        drawing.arrow(entry, (x + lane, entry[1]), (x + lane, box.y), (x + (WIDTH if lane > 0 else -WIDTH) / 2, box.y))
        y += 0.25
    far = abs(lane) + 0.25
    drawing.frames.append((x - far, bottom, x + far, box.y + 0.68, f"{len(layers)}{TIMES}"))
    return box


# -------------------------------------------------------------------------------- attention


def draw_attention(drawing: BlockDiagramDisplay, attention: Any) -> BlockDiagramDisplay:
    """Draw figure 2 of "Attention Is All You Need", with the sizes of this layer."""
    n_heads = getattr(attention, "n_heads", None) or attention.num_heads
    d_model = getattr(attention, "embed_dim", None) or attention.qkv.in_features
    _draw_dot_product(drawing, d_model // n_heads)
    _draw_heads(drawing, 2.5 * WIDTH, n_heads, d_model)
    return drawing


def _draw_dot_product(drawing: BlockDiagramDisplay, d_k: int) -> None:
    query, key, value = (
        drawing.box(x, 0.0, name, "text", width=0.6) for x, name in ((-0.9, "Q"), (0.9, "K"), (2.8, "V"))
    )
    product = drawing.box(0.0, STEP, r"$Q K^T$")
    drawing.arrow(query.top, (query.x, product.bottom[1]))
    drawing.arrow(key.top, (key.x, product.bottom[1]))
    texts = (rf"Scale: $1 / \sqrt{{{d_k}}}$", "Mask (optional)", "Softmax")
    column = [product, *(drawing.box(0.0, STEP * (i + 2), text) for i, text in enumerate(texts))]
    last = drawing.box(0.9, STEP * 5, "Weighted sum of V", width=1.5 * WIDTH)
    drawing.chain(*column)
    drawing.arrow(column[-1].top, (0.0, last.bottom[1]))
    drawing.arrow(value.top, (value.x, last.bottom[1]))
    title = drawing.box(0.9, STEP * 6 + 0.3, "Scaled dot-product attention", "text")
    drawing.arrow(last.top, (0.9, title.y - 0.4))


def _draw_heads(drawing: BlockDiagramDisplay, x: float, n_heads: int, d_model: int) -> None:
    d_k = d_model // n_heads
    width = 3 * NARROW + 0.8
    wide = drawing.box(
        x, 3 * STEP, f"Scaled dot-product\nattention, {n_heads} heads of {d_k}", copies=n_heads, width=width
    )
    for side, name in ((-1, "Q"), (0, "K"), (1, "V")):
        at = x + side * (NARROW + 0.4)
        source = drawing.box(at, 0.0, name, "text", width=0.6)
        linear = drawing.box(at, 1.5 * STEP, f"Linear\n{d_model} to {d_k}", "parameters", copies=n_heads, width=NARROW)
        drawing.chain(source, linear)
        drawing.arrow(linear.top, (at, wide.bottom[1]))
    concat = drawing.box(x, 4.3 * STEP, f"Concatenate: {n_heads} {TIMES} {d_k}", width=width)
    output = drawing.box(x, 5.3 * STEP, f"Linear\n{d_model} to {d_model}", "parameters", width=width)
    drawing.chain(wide, concat, output)
    title = drawing.box(x, STEP * 6 + 0.7, "Multi-head attention", "text")
    drawing.arrow(output.top, (x, title.y - 0.4))


# --------------------------------------------------------------------------- residual block


def draw_residual_block(drawing: BlockDiagramDisplay, block: Any, x: Any) -> BlockDiagramDisplay:
    """Draw the building block of "Deep residual learning", upwards."""
    from glassnet.inspect.dataflow import dataflow
    from glassnet.inspect.trace import trace

    nodes = dataflow(trace(block, x))
    modules = dict(block.named_modules())
    add = next((i for i, node in enumerate(nodes) if node.kind == "add" and len(node.sources) == 2), None)
    if add is None:
        raise InvalidInputError(f"{type(block).__name__} has no sum of two paths.")
    paths = sorted((_path(nodes, source) for source in nodes[add].sources), key=len, reverse=True)
    start = drawing.box(0.0, 0.0, "x", "text")
    branch = [start, *(_node_box(drawing, 0.0, STEP * (i + 1), nodes[n], modules) for i, n in enumerate(paths[0]))]
    total = drawing.box(0.0, STEP * len(branch), "+", "sum")
    drawing.chain(*branch, total)
    after = [total]
    for node in nodes[add + 1 :]:
        after.append(_node_box(drawing, 0.0, after[-1].y + STEP, node, modules))
    drawing.chain(*after, drawing.box(0.0, after[-1].y + STEP, "y", "text"))
    _draw_shortcut(drawing, start, total, [nodes[n] for n in paths[1]], modules)
    drawing.box(-LANE - 0.1, (start.y + total.y) / 2, "F(x)", "text", width=1.0)
    return drawing


def _draw_shortcut(
    drawing: BlockDiagramDisplay, start: Box, total: Box, nodes: list[Node], modules: dict[str, Any]
) -> None:
    lane, low = LANE + WIDTH / 2 + 0.2, start.y + 0.5
    middle = (start.y + total.y) / 2
    boxes = [
        _node_box(drawing, lane, middle + STEP * (i - (len(nodes) - 1) / 2), node, modules)
        for i, node in enumerate(nodes)
    ]
    if not boxes:
        drawing.box(lane + 0.9, middle, "identity", "text", width=1.4)
        drawing.arrow((0.0, low), (lane, low), (lane, total.y), (0.26, total.y))
        return
    drawing.arrow((0.0, low), (lane, low), boxes[0].bottom)
    drawing.chain(*boxes)
    drawing.arrow(boxes[-1].top, (lane, total.y), (0.26, total.y))


def _path(nodes: list[Node], last: int) -> list[int]:
    """Return the nodes from the input, which is left out, to ``last``."""
    path = []
    while nodes[last].sources:
        path.append(last)
        last = nodes[last].sources[0]
    return path[::-1]


def _node_box(drawing: BlockDiagramDisplay, x: float, y: float, node: Node, modules: dict[str, Any]) -> Box:
    layer: Any = modules.get(node.name)
    size = getattr(layer, "kernel_size", None)
    text = node.kind
    if size is not None:
        size = (size, size) if isinstance(size, int) else tuple(size)
        stride = f", stride {layer.stride[0]}" if layer.stride[0] > 1 else ""
        text = f"{size[0]} {TIMES} {size[1]} convolution\n{layer.in_channels} to {layer.out_channels}{stride}"
    elif hasattr(layer, "in_features"):
        text = f"Linear\n{layer.in_features} to {layer.out_features}"
    return drawing.box(x, y, text, "parameters" if node.parameters or node.shared else "operation")
