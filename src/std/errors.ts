/**
 * The base of every expected error that crosses a room's door. Each room lists its codes once, in its `errors.ts`: when
 * it happens, what state is left, whether the outcome is certain, whether to retry.
 */
export class HeddleError<Code extends string = string> extends Error {
  readonly code: Code;
  /** Facts for logs and for people; never a secret. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, fields: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.fields = fields;
  }
}
