/** What the older per-pair API refuses in an intention, all of it at once, in the words existing tools match on. */
import { utf8Length } from '../std/utf8.ts';
import { errorList } from './error-list.ts';
import type { Intention } from './intention.ts';
import { metaErrors } from './meta-rules.ts';
import {
  descriptionBytesMax,
  isAction,
  isPartialWildcard,
  nameBytesMax,
  partialWildcard,
  sourceNameFault,
  sourceTypeConsul,
} from './service-intentions-rules.ts';

export function legacyIntentionFault(intention: Intention): string | null {
  const errors: string[] = [];
  if (intention.SourceName === '') errors.push('SourceName must be set');
  if (intention.DestinationName === '') errors.push('DestinationName must be set');
  const source = sourceNameFault(intention.SourceName);
  if (source !== null) errors.push(`SourceName${source}`);
  if (isPartialWildcard(intention.DestinationName)) errors.push(`DestinationName: ${partialWildcard}`);
  if (utf8Length(intention.DestinationName) > nameBytesMax) {
    errors.push(`DestinationName exceeds maximum length ${nameBytesMax}`);
  }
  if (utf8Length(intention.Description) > descriptionBytesMax) {
    errors.push(`Description exceeds maximum length ${descriptionBytesMax}`);
  }
  errors.push(...metaErrors(intention.Meta));
  if (!isAction(intention.Action)) errors.push("Action must be set to 'allow' or 'deny'");
  if (intention.Permissions !== null && intention.Permissions.length > 0) {
    errors.push('Permissions must not be set when using the legacy APIs');
  }
  if (intention.SourceType !== sourceTypeConsul) errors.push(`SourceType must be set to '${sourceTypeConsul}'`);
  return errors.length === 0 ? null : errorList(errors);
}

/** What is wrong with an intention's id, as its index says it; null when nothing is. */
export function intentionIdFault(id: string): string | null {
  if (id.length !== 36) return 'failed config entry lookup: index error: UUID must be 36 characters';
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(id)) return null;
  return 'failed config entry lookup: index error: Invalid UUID';
}
