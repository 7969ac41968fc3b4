/** Derived values by name, each kept until its version is another. The oldest goes when there are too many. */
const entriesMax = 10_000;

export class Memo {
  readonly #entries = new Map<string, { readonly version: number | string; readonly value: object }>();

  get<T extends object>(name: string, version: number | string, compute: () => T): T {
    const known = this.#entries.get(name);
    if (known !== undefined && known.version === version) return known.value as T;
    const value = compute();
    this.#entries.delete(name);
    this.#entries.set(name, { version, value });
    if (this.#entries.size > entriesMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
