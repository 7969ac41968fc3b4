/** What the intention commands share: names as they are typed, the records, and how to find one. */
import { CommandFailure } from '../command.ts';
import { type ApiClient, ApiError } from '../http-client.ts';

export interface Intention {
  readonly ID?: string;
  readonly CreatedAt?: string;
  readonly Description?: string;
  readonly SourceNS: string;
  readonly SourceName: string;
  readonly DestinationNS: string;
  readonly DestinationName: string;
  readonly SourceType?: string;
  readonly Action?: string;
  readonly Permissions?: readonly unknown[];
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Precedence: number;
}

export interface Target {
  readonly namespace: string;
  readonly name: string;
}

/** `name` or `namespace/name`; a service URI (`spiffe://…`) is taken whole. */
export function parseTarget(side: 'source' | 'destination', text: string): Target {
  if (text.startsWith('spiffe://')) return { namespace: 'default', name: text };
  const parts = text.split('/');
  if (parts.length > 2)
    throw new CommandFailure(`Error: Invalid intention ${side}: target can contain at most one '/'`);
  return parts.length === 2 ? { namespace: parts[0]!, name: parts[1]! } : { namespace: 'default', name: text };
}

/** `web => db (allow)`, `web => l7 (1 permission)`. */
export function describe(intention: Intention): string {
  const side = (namespace: string, name: string): string =>
    namespace === '' || namespace === 'default' ? name : `${namespace}/${name}`;
  const count = intention.Permissions?.length ?? 0;
  const what = count > 0 ? `${count} permission${count === 1 ? '' : 's'}` : (intention.Action ?? '');
  return `${side(intention.SourceNS, intention.SourceName)} => ${side(intention.DestinationNS, intention.DestinationName)} (${what})`;
}

/** By `SRC DST` or by `ID`. */
export async function findIntention(client: ApiClient, args: readonly string[]): Promise<Intention> {
  if (args.length !== 1 && args.length !== 2) throw new CommandFailure('command requires exactly 1 or 2 arguments');
  try {
    if (args.length === 1)
      return await client.json<Intention>('GET', `/v1/connect/intentions/${encodeURIComponent(args[0]!)}`);
    const [source, destination] = args as [string, string];
    return await client.json<Intention>('GET', '/v1/connect/intentions/exact', { query: { source, destination } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      throw new CommandFailure(
        args.length === 1
          ? `Intention not found with ID ${JSON.stringify(args[0])}`
          : `Intention not found with source ${JSON.stringify(args[0])} and destination ${JSON.stringify(args[1])}`,
      );
    }
    throw new CommandFailure(`Error reading the intention: ${(error as Error).message}`);
  }
}
