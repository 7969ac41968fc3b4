/** Commands whose refusals carry a prefix that tells them from what the door found wrong. */
import { Refusal } from '../../../fsm/errors.ts';

/** `prefix` of a refusal by the state, or how to choose it by the text. */
export function logged<T>(
  answer: Promise<T>,
  prefix: string | ((text: string) => string) = 'raft apply failed: ',
): Promise<T> {
  return answer.catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.code !== 'failed') throw error;
    const before = typeof prefix === 'string' ? prefix : prefix(error.message);
    throw new Refusal(error.code, before + error.message, error.fields);
  });
}
