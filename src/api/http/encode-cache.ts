/**
 * Answers encoded once (design, decision 11). The state machine keeps derived lists and gives the same objects until
 * something in them changes, so an encoding is right as long as the objects are the same ones: no index rule is trusted,
 * and a stale or restored state cannot be mixed up with another.
 *
 * Two levels: a list that is itself the same object, and, for lists that are made anew for each request (`?passing`, a
 * filter, a tag), the last encoding of the same question if it had the same elements.
 */
import { Encoded } from './answer.ts';

/** Questions remembered; the least recently asked goes first. */
const questionsMax = 2000;
/** All encodings of the second level together. */
const bytesMax = 64 * 1024 * 1024;

interface Remembered {
  readonly elements: readonly unknown[];
  readonly encoded: Encoded;
}

export class EncodeCache {
  readonly #byIdentity = new WeakMap<object, Encoded>();
  readonly #byQuestion = new Map<string, Remembered>();
  #bytes = 0;

  /** The encoding of an object whose identity stands for its content. */
  object(value: object, encode: () => string): Encoded {
    const known = this.#byIdentity.get(value);
    if (known !== undefined) return known;
    const encoded = new Encoded(Buffer.from(encode()));
    this.#byIdentity.set(value, encoded);
    return encoded;
  }

  /** The encoding of a list whose elements' identities stand for their content. `questionOf` names what was asked. */
  list(value: readonly unknown[], questionOf: () => string, encode: () => string): Encoded {
    const known = this.#byIdentity.get(value);
    if (known !== undefined) return known;
    const question = questionOf();
    const remembered = this.#byQuestion.get(question);
    if (remembered !== undefined && sameElements(remembered.elements, value)) {
      this.#byQuestion.delete(question);
      this.#byQuestion.set(question, remembered);
      return remembered.encoded;
    }
    const encoded = this.object(value, encode);
    this.#remember(question, { elements: value, encoded });
    return encoded;
  }

  #remember(question: string, remembered: Remembered): void {
    this.#forget(question);
    this.#byQuestion.set(question, remembered);
    this.#bytes += remembered.encoded.bytes.byteLength;
    for (const oldest of this.#byQuestion.keys()) {
      if (this.#byQuestion.size <= questionsMax && this.#bytes <= bytesMax) return;
      this.#forget(oldest);
    }
  }

  #forget(question: string): void {
    const remembered = this.#byQuestion.get(question);
    if (remembered === undefined) return;
    this.#byQuestion.delete(question);
    this.#bytes -= remembered.encoded.bytes.byteLength;
  }
}

function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
