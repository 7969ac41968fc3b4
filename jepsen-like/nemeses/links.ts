/** What nemeses that cut links have in common. */
import type { NemesisContext } from './nemesis.ts';

const rpcPort = 8300;
/** A cut link answers nothing; one that stands answers at once. */
const probeMs = 300;

/** Why no link can be cut here. */
export const cannotPart = ({ network }: NemesisContext): string | undefined =>
  network === undefined ? 'network namespaces need root' : undefined;

/** Takes all cuts away; the proof is that until then an agent could not connect to a server. */
export async function healed(
  { cluster, network }: NemesisContext,
  from: number,
  to: number,
): Promise<string | undefined> {
  const reached = await network!.reaches(from, cluster.advertised(to), rpcPort, probeMs);
  network!.heal();
  return reached
    ? undefined
    : `no connection from ${from < cluster.size ? `server ${from}` : 'the host'} to server ${to}`;
}
