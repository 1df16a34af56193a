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

/** Write a request: JSON; with `data`, a file's bytes, one binary message of fixed header, JSON and the bytes. */
export function packRequest(message, data) {
  const text = JSON.stringify(message);
  if (!data) return text;
  const head = new TextEncoder().encode(text);
  const packed = new Uint8Array(FIXED_BYTES + head.length + data.byteLength);
  packed.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(packed.buffer);
  view.setUint32(4, head.length, true);
  view.setUint32(8, data.byteLength, true);
  packed.set(head, FIXED_BYTES);
  packed.set(new Uint8Array(data), FIXED_BYTES + head.length);
  return packed;
}
