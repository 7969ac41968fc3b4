/**
 * Why the state machine refused a command or a query. A refusal is certain: nothing of the command was written. The doors
 * choose the status code from the code; the message is complete and for people.
 *
 * | code       | when                                                     | retry                  |
 * | ---------- | -------------------------------------------------------- | ---------------------- |
 * | invalid    | the request itself is wrong (doors answer 400)           | never                  |
 * | notFound   | the thing that must exist does not (404)                 | after creating it      |
 * | denied     | the caller may not (403)                                 | with another token     |
 * | conflict   | a check-and-set lost                                     | after reading again    |
 * | failed     | refused by the state it met (doors answer 500, as tools expect) | after changing it |
 */
import { HeddleError } from '../std/errors.ts';

export type RefusalCode = 'invalid' | 'notFound' | 'denied' | 'conflict' | 'failed';

export class Refusal extends HeddleError<RefusalCode> {}

/** A session id that cannot be one. */
export function notAUuid(): Refusal {
  return new Refusal('failed', 'failed session lookup: index error: UUID must be 36 characters');
}
