// The message format of glassnet/lab/protocol.py: fixed header, JSON, typed arrays.

const MAGIC = "GNF1";
const FIXED_BYTES = 12;
const ARRAY_TYPES = { uint8: Uint8Array, float32: Float32Array };

/** Read one binary message: its JSON fields, and `arrays` as {name: {shape, data}}. */
export function unpack(buffer) {
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
  if (magic !== MAGIC) throw new Error(`not a lab message: ${magic}`);
  const headBytes = new DataView(buffer).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, FIXED_BYTES, headBytes)));
  const start = FIXED_BYTES + headBytes;
  const arrays = {};
  for (const { name, dtype, shape, offset } of header.arrays) {
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = { shape, data: new ARRAY_TYPES[dtype](buffer, start + offset, count) };
  }
  return { ...header, arrays };
}
