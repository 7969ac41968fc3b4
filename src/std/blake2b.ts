/**
 * BLAKE2b (RFC 7693) without a key, for rooms that have no platform: Node's own knows only the 512-bit digest. 64-bit words
 * are kept as two halves, low first, in one Uint32Array. It is not for secrets: it makes no effort against timing.
 */

const iv = Uint32Array.of(
  0xf3bcc908,
  0x6a09e667,
  0x84caa73b,
  0xbb67ae85,
  0xfe94f82b,
  0x3c6ef372,
  0x5f1d36f1,
  0xa54ff53a,
  0xade682d1,
  0x510e527f,
  0x2b3e6c1f,
  0x9b05688c,
  0xfb41bd6b,
  0x1f83d9ab,
  0x137e2179,
  0x5be0cd19,
);

/** RFC 7693 §2.7, as hexadecimal digits; rounds 10 and 11 repeat 0 and 1. */
const sigma = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
].map((row) => Uint8Array.from(row, (digit) => Number.parseInt(digit, 16)));

const blockBytes = 128;

/** The digest of `input`, `size` bytes long (1 to 64). */
export function blake2b(input: Uint8Array, size: number): Uint8Array {
  const h = Uint32Array.from(iv);
  h[0]! ^= 0x01010000 ^ size;
  const block = new Uint8Array(blockBytes);
  const words = new DataView(block.buffer);
  const m = new Uint32Array(32);
  const v = new Uint32Array(32);
  let offset = 0;
  do {
    const end = Math.min(offset + blockBytes, input.length);
    block.fill(0);
    block.set(input.subarray(offset, end));
    for (let i = 0; i < 32; i++) m[i] = words.getUint32(i * 4, true);
    compress(h, m, v, end, end === input.length);
    offset = end;
  } while (offset < input.length);
  const out = new Uint8Array(64);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 16; i++) view.setUint32(i * 4, h[i]!, true);
  return out.slice(0, size);
}

/** RFC 7693 §3.2. `count` is the number of bytes up to the end of this block (below 2^53). */
function compress(h: Uint32Array, m: Uint32Array, v: Uint32Array, count: number, last: boolean): void {
  v.set(h);
  v.set(iv, 16);
  v[24]! ^= count >>> 0;
  v[25]! ^= Math.floor(count / 0x1_0000_0000);
  if (last) {
    v[28] = ~v[28]!;
    v[29] = ~v[29]!;
  }
  for (let round = 0; round < 12; round++) {
    const s = sigma[round % 10]!;
    mix(v, m, 0, 8, 16, 24, s[0]!, s[1]!);
    mix(v, m, 2, 10, 18, 26, s[2]!, s[3]!);
    mix(v, m, 4, 12, 20, 28, s[4]!, s[5]!);
    mix(v, m, 6, 14, 22, 30, s[6]!, s[7]!);
    mix(v, m, 0, 10, 20, 30, s[8]!, s[9]!);
    mix(v, m, 2, 12, 22, 24, s[10]!, s[11]!);
    mix(v, m, 4, 14, 16, 26, s[12]!, s[13]!);
    mix(v, m, 6, 8, 18, 28, s[14]!, s[15]!);
  }
  for (let i = 0; i < 16; i++) h[i]! ^= v[i]! ^ v[i + 16]!;
}

/** RFC 7693 §3.1: the function G. Positions are those of low halves; the message words are numbered 0 to 15. */
function mix(v: Uint32Array, m: Uint32Array, a: number, b: number, c: number, d: number, x: number, y: number): void {
  add(v, a, v[b]!, v[b + 1]!);
  add(v, a, m[2 * x]!, m[2 * x + 1]!);
  xorRotate(v, d, a, 32);
  add(v, c, v[d]!, v[d + 1]!);
  xorRotate(v, b, c, 24);
  add(v, a, v[b]!, v[b + 1]!);
  add(v, a, m[2 * y]!, m[2 * y + 1]!);
  xorRotate(v, d, a, 16);
  add(v, c, v[d]!, v[d + 1]!);
  xorRotate(v, b, c, 63);
}

function add(v: Uint32Array, at: number, low: number, high: number): void {
  const sum = v[at]! + low;
  v[at] = sum;
  v[at + 1] = v[at + 1]! + high + (sum > 0xffff_ffff ? 1 : 0);
}

/** v[at] = (v[at] xor v[other]) rotated right by `bits`. */
function xorRotate(v: Uint32Array, at: number, other: number, bits: 16 | 24 | 32 | 63): void {
  const low = v[at]! ^ v[other]!;
  const high = v[at + 1]! ^ v[other + 1]!;
  if (bits === 32) {
    v[at] = high;
    v[at + 1] = low;
  } else if (bits === 63) {
    v[at] = (low << 1) | (high >>> 31);
    v[at + 1] = (high << 1) | (low >>> 31);
  } else {
    v[at] = (low >>> bits) | (high << (32 - bits));
    v[at + 1] = (high >>> bits) | (low << (32 - bits));
  }
}
