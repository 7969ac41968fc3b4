/**
 * The root of the mesh is replaced again and again while leaves are issued by way of every server. A leaf must be trusted by a host
 * that knows the roots of now, by one that has not heard of the newest yet, and by everybody to the end: old roots stay.
 *
 *     roots read before ──(at most one rotation)──> leaf ──> roots read after ──> … ──> the last roots
 *            └───────────────── each has a root that the leaf, with what it travels with, leads to
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { Operation } from '../history.ts';
import type { WorkloadClient } from '../real/client.ts';
import { pause, verdictOf, type Workload, type WorkloadContext } from './workload.ts';

interface Root {
  readonly RootCert: string;
  readonly Active: boolean;
}

export const rotation: Workload = {
  name: 'rotation',
  promise: 'while roots rotate, each leaf is trusted by who knows the roots of before, of then, and of the end',
  clients: 3,
  acknowledges: ['rotate', 'leaf', 'roots'],
  client: (client, index, context) => (index === 0 ? rotate(client, context) : useLeaves(client, index, context)),
  final: (client) => client.plain('GET', '/v1/connect/ca/roots?consistent').then(rootsIn),
  check(history, final) {
    const rotations = history.of('rotate').filter(({ outcome }) => outcome !== 'fail');
    const seen = history.of('roots', 'ok');
    const leaves = history.of('leaf', 'ok');
    const last = final as readonly Root[];
    const trust = new Trust();
    const violations = [
      ...seen.flatMap((each) => activeWrong(each, rotations)),
      ...leaves.flatMap((each) => untrusted(each, seen, rotations, last, trust)),
    ];
    return verdictOf(
      violations,
      `${history.of('rotate', 'ok').length} rotations, ${leaves.length} leaves, all trusted before, then and at the end, where ${last.length} roots are known`,
    );
  },
};

async function rotate(client: WorkloadClient, { over, chance }: WorkloadContext): Promise<void> {
  while (!over()) {
    // Who has heard of no more than the last root but one is not promised anything: rotations are rare.
    await pause(3_000 + chance() * 4_000);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const PrivateKey = privateKey.export({ type: 'sec1', format: 'pem' });
    const body = JSON.stringify({ Provider: 'consul', Config: { PrivateKey } });
    const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const request = { method: 'PUT', path: '/v1/connect/ca/configuration', body };
    await client.operate('rotate', 'roots', key, request, ({ status }) => ({
      outcome: status === 200 ? 'ok' : 'unknown',
    }));
  }
}

async function useLeaves(client: WorkloadClient, index: number, { run, over }: WorkloadContext): Promise<void> {
  for (let n = 0; !over(); n++) {
    await seeRoots(client);
    const service = `${run}-${index}-${n}`;
    const path = `/v1/agent/connect/ca/leaf/${service}`;
    await client.operate('leaf', 'roots', service, { method: 'GET', path }, ({ body }) => ({
      outcome: 'ok',
      output: (JSON.parse(body) as { CertPEM: string }).CertPEM,
    }));
    client.goOn();
    await seeRoots(client);
    await pause(100);
  }
}

async function seeRoots(client: WorkloadClient): Promise<void> {
  await client.operate('roots', 'roots', null, { method: 'GET', path: '/v1/connect/ca/roots' }, ({ body }) => ({
    outcome: 'ok',
    output: rootsIn(body),
  }));
}

const rootsIn = (body: string): Root[] =>
  ((JSON.parse(body) as { Roots: Root[] }).Roots ?? []).map(({ RootCert, Active }) => ({ RootCert, Active }));

/** One root is active: that of the last acknowledged rotation, or of one that may have happened meanwhile. */
function activeWrong({ output, server, startMs, endMs }: Operation, rotations: readonly Operation[]): string[] {
  const active = (output as readonly Root[]).filter(({ Active }) => Active);
  const where = `server ${server} at ${startMs.toFixed(0)} ms`;
  if (active.length !== 1) return [`${where}: ${active.length} roots are active`];
  const settled = rotations.findLast((each) => each.outcome === 'ok' && each.endMs < startMs);
  if (settled === undefined) return [];
  const possible = rotations
    .filter(
      (each) => each === settled || (each.startMs < endMs && (each.outcome === 'unknown' || each.endMs >= startMs)),
    )
    .map(({ input }) => input);
  const key = new X509Certificate(active[0]!.RootCert).publicKey.export({ type: 'spki', format: 'der' });
  return possible.includes(key.toString('base64')) ? [] : [`${where}: the active root is of no rotation in force`];
}

/** Roots by which a leaf must be trusted, and that do not. */
function untrusted(
  leaf: Operation,
  seen: readonly Operation[],
  rotations: readonly Operation[],
  last: readonly Root[],
  trust: Trust,
): string[] {
  const before = seen.findLast(({ endMs }) => endMs <= leaf.startMs);
  const after = seen.find(({ startMs }) => startMs >= leaf.endMs);
  const rotated = rotations.filter(
    ({ startMs, endMs, outcome }) =>
      before !== undefined && startMs < leaf.endMs && (endMs > before.startMs || outcome === 'unknown'),
  );
  const who: [string, readonly Root[] | undefined][] = [
    ['the roots before it', rotated.length > 1 ? undefined : (before?.output as readonly Root[] | undefined)],
    ['the roots after it', after?.output as readonly Root[] | undefined],
    ['the last roots', last],
  ];
  const what = `the leaf of server ${leaf.server} at ${leaf.startMs.toFixed(0)} ms`;
  return who.flatMap(([name, roots]) =>
    roots === undefined || trust.leads(leaf.output as string, roots) ? [] : [`${what} leads to none of ${name}`],
  );
}

/** Whether a leaf leads to a root: by whose key who is signed, each certificate parsed once. */
class Trust {
  readonly #parsed = new Map<string, readonly X509Certificate[]>();

  leads(chain: string, roots: readonly Root[]): boolean {
    const [leaf, ...others] = this.#certificates(chain);
    const trusted = roots.flatMap(({ RootCert }) => this.#certificates(RootCert));
    return this.#reaches(leaf!, others, trusted);
  }

  #reaches(from: X509Certificate, others: readonly X509Certificate[], trusted: readonly X509Certificate[]): boolean {
    if (trusted.some((root) => isSignedBy(from, root))) return true;
    return others.some((next, i) => isSignedBy(from, next) && this.#reaches(next, others.toSpliced(i, 1), trusted));
  }

  #certificates(text: string): readonly X509Certificate[] {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const parsed = pems.map((pem) => new X509Certificate(pem));
    this.#parsed.set(text, parsed);
    return parsed;
  }
}

const isSignedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
