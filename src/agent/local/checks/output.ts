/** Outputs of checks are kept up to a limit: of programs the end, of what clients say the beginning. */

/** Keeps the last `bytesMax` bytes of a stream and counts them all. */
export class TailBuffer {
  readonly #bytesMax: number;
  #kept: Buffer = Buffer.alloc(0);
  #total = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  write(chunk: Uint8Array): void {
    this.#total += chunk.length;
    const all = Buffer.concat([this.#kept, chunk]);
    this.#kept = all.length > this.#bytesMax ? all.subarray(all.length - this.#bytesMax) : all;
  }

  /** The tail alone. */
  tail(): string {
    return this.#kept.toString();
  }

  /** The tail, headed by a line that says what is missing. */
  text(): string {
    if (this.#total <= this.#kept.length) return this.tail();
    return `Captured ${this.#kept.length} of ${this.#total} bytes\n...\n${this.tail()}`;
  }
}

/** The beginning of a text that a client gave. */
export function headOf(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  return `${bytes.subarray(0, bytesMax).toString()} ... (captured ${bytesMax} of ${bytes.length} bytes)`;
}
