/** What a JSON text holds, without loss. */

/**
 * A number whose text says more than a JavaScript number can hold about it: `1e2` and `1.0` are not whole numbers to a
 * decoder of integers, although their value is.
 */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  valueOf(): number {
    return Number(this.text);
  }
  toString(): string {
    return this.text;
  }
}

/** `bigint` only for whole numbers beyond the safe range, JsonNumber only for whole values written in another way. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonNumber
  | JsonValue[]
  | { [key: string]: JsonValue };
