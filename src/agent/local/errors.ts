/**
 * Why the agent refused something that was asked of it. The text is complete; the door chooses the status by code.
 *
 * | code     | when                                                         | state left | retry |
 * | -------- | ------------------------------------------------------------ | ---------- | ----- |
 * | invalid  | a definition breaks a rule (400)                             | untouched  | never |
 * | notFound | no such service or check here (404)                          | untouched  | after registering it |
 * | failed   | the agent cannot do it (500): scripts off, disk, peers, join | untouched, but a parent stays when only its sidecar failed | after changing it |
 */
import { HeddleError } from '../../std/errors.ts';

export type LocalCode = 'invalid' | 'notFound' | 'failed';

export class LocalError extends HeddleError<LocalCode> {}
