// Heat maps: uint8 values through a colour map onto a canvas.

/** Draw `values` (height x width, row 0 on top) pixel by pixel; the browser scales the canvas. */
export function drawHeatmap(canvas, values, height, width, map) {
  const pixels = pixelsOf(canvas, height, width);
  for (let i = 0; i < pixels.length; i++) pixels[i] = map[values[i]];
  canvas.getContext("2d").putImageData(canvas.image, 0, 0);
}

/** Draw packed RGBA values in the same way. */
export function drawPixels(canvas, packed, height, width) {
  pixelsOf(canvas, height, width).set(packed);
  canvas.getContext("2d").putImageData(canvas.image, 0, 0);
}

/** Return a canvas' pixels as packed RGBA values to write to; its size becomes that asked for. */
function pixelsOf(canvas, height, width) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  if (canvas.image?.width !== width || canvas.image.height !== height) {
    canvas.image = canvas.getContext("2d").createImageData(width, height);
  }
  return new Uint32Array(canvas.image.data.buffer);
}

/** Fill a canvas with the colour map from left to right, as a legend. */
export function drawScale(canvas, map) {
  drawHeatmap(canvas, Uint8Array.from({ length: 256 }, (_, i) => i), 1, 256, map);
}

/** Make a canvas as sharp as the screen; returns its context, scaled to CSS pixels, and its size. */
export function sharpCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}
