/**
 * Why a connection is allowed or refused: every intention that speaks about the destination, in the order of decision, and
 * what each one had to say about this client. It walks lists, so it is for people asking, not for the path of a connection.
 */
import { compareIntentionOrder, isUriSource, parseIntentionSource, wildcard } from '../../structs/intention-source.ts';
import { type Client, type Mesh, outsideMesh } from './client.ts';
import { admits, decide, hasPermissions } from './decide.ts';
import { reasonOf, ruleText } from './reason.ts';
import type { DestinationRow, RuleSource } from './row.ts';

export interface Consideration {
  readonly SourceName: string;
  readonly DestinationName: string;
  readonly Precedence: number;
  /** `allow`, `deny`, or `permissions` for layer 7. */
  readonly Action: string;
  /** `decided`; `outranked` by the one that decided, though it applies; `other` when it is about someone else. */
  readonly Verdict: 'decided' | 'outranked' | 'other';
  readonly Why: string;
}

export interface Explanation {
  readonly Allowed: boolean;
  readonly Reason: string;
  readonly Considered: readonly Consideration[];
  /** How many further intentions about other sources were left out. */
  readonly Omitted: number;
}

/** Those about someone else beyond this many are counted, not listed. */
const othersMax = 100;

export function explain<S extends RuleSource>(
  client: Client,
  row: DestinationRow<S> | undefined,
  wildcardRow: DestinationRow<S> | undefined,
  mesh: Mesh,
): Explanation {
  const decision = decide(client, row, wildcardRow, mesh);
  const candidates = [row, wildcardRow === row ? undefined : wildcardRow]
    .flatMap((each) => (each?.entry.Sources ?? []).map((source) => ({ source, destination: each?.entry.Name ?? '' })))
    .map((each) => ({
      ...each,
      SourceName: each.source.Name,
      DestinationName: each.destination,
      Precedence: each.source.Precedence,
    }))
    .sort(compareIntentionOrder);

  const considered: Consideration[] = [];
  let others = 0;
  let omitted = 0;
  for (const { source, destination, ...names } of candidates) {
    const no = whyNot(source, client, mesh);
    const Action = hasPermissions(source) ? 'permissions' : source.Action;
    if (no === null) {
      const decided = source === decision.source;
      const Why = decided ? ruleText(source, destination) : 'Applies, but one of higher precedence decided';
      considered.push({ ...names, Action, Verdict: decided ? 'decided' : 'outranked', Why });
    } else if (others++ < othersMax) {
      considered.push({ ...names, Action, Verdict: 'other', Why: no });
    } else {
      omitted++;
    }
  }
  return {
    Allowed: decision.allowed,
    Reason: reasonOf(decision, client, mesh),
    Considered: considered,
    Omitted: omitted,
  };
}

/** Why a source is not about this client; null when it is. Agrees with decide.ts, which a property test holds. */
function whyNot(source: RuleSource, client: Client, mesh: Mesh): string | null {
  const form = parseIntentionSource(source.Name);
  if (!form.ok) return `Not a valid source: ${form.error}`;
  const outside = outsideMesh(client, mesh);
  switch (form.value.kind) {
    case 'any':
      return outside !== null && admits(source)
        ? `"${wildcard}" admits this mesh's services only; the client is outside`
        : null;
    case 'service':
      if (form.value.service !== client.service) return otherName(form.value.service, client.service);
      return outside === null
        ? null
        : `Names this mesh's "${client.service}"; the client is of another ${outside.replace('-', ' ')}`;
    case 'trust-domain':
      return form.value.trustDomain === client.trustDomain ? null : `About trust domain "${form.value.trustDomain}"`;
    case 'uri':
      return whyNotUri(form.value.uri, client);
  }
}

function whyNotUri(uri: Client, client: Client): string | null {
  for (const part of ['trustDomain', 'namespace', 'datacenter', 'service'] as const) {
    if (uri[part] === client[part]) continue;
    return `About ${part === 'trustDomain' ? 'trust domain' : part} "${uri[part]}", the client's is "${client[part]}"`;
  }
  return null;
}

function otherName(source: string, client: string): string {
  if (source.toLowerCase() === client.toLowerCase() && !isUriSource(client)) {
    return `About "${source}"; the client is "${client}", and letter case counts in source names`;
  }
  return `About "${source}"`;
}
