/** The little of tar that a snapshot archive needs: plain files, in order, closed by two blocks of zeros. */
const blockBytes = 512;

/** The header of a file: mode 0600, owned by nobody in particular. */
export function tarHeader(name: string, sizeBytes: number, modifiedMs: number): Uint8Array {
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, width: number): void => {
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  header.write(name, 0, 100, 'utf8');
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(Math.floor(modifiedMs / 1000), 136, 12);
  header.fill(' ', 148, 156);
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** What fills a file of this size up to whole blocks. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

export const tarEnd: Uint8Array = Buffer.alloc(2 * blockBytes);

export interface TarEntry {
  readonly name: string;
  /** Must be read to its end before the next entry. Throws `UnexpectedEnd`. */
  readonly data: AsyncIterable<Uint8Array>;
}

export class UnexpectedEnd extends Error {
  override readonly name = 'UnexpectedEnd';
  constructor() {
    super('unexpected EOF');
  }
}

export class TarReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Throws `UnexpectedEnd` where the archive stops within something, RangeError where it is none. */
  async *entries(): AsyncGenerator<TarEntry> {
    for (;;) {
      const header = await this.#take(blockBytes, true);
      if (header === undefined) return;
      if (isZero(header)) {
        await this.#take(blockBytes, true);
        return;
      }
      const { name, sizeBytes } = readHeader(header);
      yield { name, data: this.#stream(sizeBytes) };
      await this.#take(tarPadding(sizeBytes).length, false);
    }
  }

  /** Reads on to the end of the source and counts. */
  async remaining(): Promise<number> {
    let count = this.#rest.length;
    for (let next = await this.#source.next(); !next.done; next = await this.#source.next()) count += next.value.length;
    return count;
  }

  /** Undefined at the end of the source, if that is allowed here. */
  async #take(sizeBytes: number, endAllowed: boolean): Promise<Buffer | undefined> {
    while (this.#rest.length < sizeBytes) {
      const next = await this.#source.next();
      if (!next.done) this.#rest = Buffer.concat([this.#rest, next.value]);
      else if (endAllowed && this.#rest.length === 0) return undefined;
      else throw new UnexpectedEnd();
    }
    const taken = this.#rest.subarray(0, sizeBytes);
    this.#rest = this.#rest.subarray(sizeBytes);
    return taken;
  }

  async *#stream(sizeBytes: number): AsyncGenerator<Uint8Array> {
    for (let left = sizeBytes; left > 0; ) {
      const piece = (await this.#take(Math.min(left, Math.max(1, this.#rest.length)), false))!;
      left -= piece.length;
      yield piece;
    }
  }
}

function readHeader(header: Buffer): { readonly name: string; readonly sizeBytes: number } {
  const text = (from: number, to: number): string => header.toString('utf8', from, to).replace(/\0.*$/s, '');
  const size = text(124, 136).trim();
  if (!/^[0-7]+$/.test(size)) throw new RangeError('archive/tar: invalid tar header');
  let sum = 0;
  for (let i = 0; i < blockBytes; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  if (Number.parseInt(text(148, 156).trim(), 8) !== sum) throw new RangeError('archive/tar: invalid tar header');
  return { name: text(0, 100), sizeBytes: Number.parseInt(size, 8) };
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}
