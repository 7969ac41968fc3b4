/** The label header that keeps pools apart: `f4`, a length, the label; outermost on UDP and at the start of a stream. */
const labelType = 244;

export const labelOverheadBytes = (label: Uint8Array): number => (label.length === 0 ? 0 : 2 + label.length);

export function addLabel(label: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (label.length === 0) return bytes;
  const out = new Uint8Array(2 + label.length + bytes.length);
  out[0] = labelType;
  out[1] = label.length;
  out.set(label, 2);
  out.set(bytes, 2 + label.length);
  return out;
}

/** The bytes behind the header when the label is exactly ours (none counts as empty); undefined for any other. */
export function stripLabel(label: Uint8Array, bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== labelType) return label.length === 0 ? bytes : undefined;
  const length = bytes[1] ?? 0;
  if (length === 0 || length !== label.length || bytes.length < 2 + length) return undefined;
  for (let i = 0; i < length; i++) if (bytes[2 + i] !== label[i]) return undefined;
  return bytes.subarray(2 + length);
}

/** Bytes of the header that starts with `bytes`; 0 when there is none, undefined when more bytes are needed. */
export function labelHeaderBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] !== labelType) return 0;
  if (bytes.length < 2 || bytes.length < 2 + bytes[1]!) return undefined;
  return 2 + bytes[1]!;
}
