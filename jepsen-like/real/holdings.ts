/** What a run holds of this machine, given back in the reverse order of its taking, once. */
export class Holdings {
  readonly #releases: (() => void)[] = [];

  add(release: () => void): void {
    this.#releases.push(release);
  }

  release(): void {
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        release();
      } catch (error) {
        // What is left is cleared by the next run that finds this one dead.
        process.stderr.write(`not cleaned up: ${String(error)}\n`);
      }
    }
  }
}
