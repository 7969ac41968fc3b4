/**
 * What a leaf certificate costs beside the one signature it cannot do without, in one run on one machine.
 * Run: `npm run build && node dist/bench/ca.js`.
 */
import { sign } from 'node:crypto';
import {
  buildCsr,
  checkCsr,
  formatSpiffe,
  generateKey,
  initialise,
  leafKeySpec,
  openSigner,
  parseCertificates,
  serviceId,
  signLeaf,
  trustDomainOf,
  verifyPeer,
} from '../src/ca/index.ts';
import type { Result } from '../src/std/result.ts';

const clusterId = '017f3d96-d823-4521-729f-f3cba1775c04';
const trustDomain = trustDomainOf(clusterId);
const nowMs = Date.now();

function must<T>(result: Result<T, Error>): T {
  if (!result.ok) throw result.error;
  return result.value;
}

/** Median of rounds, microseconds a call. */
function measure(work: () => void): number {
  const [rounds, calls] = [9, 400];
  for (let i = 0; i < calls; i++) work();
  const times = Array.from({ length: rounds }, () => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) work();
    return Number(process.hrtime.bigint() - start) / 1_000 / calls;
  });
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

async function main(): Promise<void> {
  const randomBytes = (size: number): Uint8Array => new Uint8Array(size).fill(size);
  const context = { nowMs, randomBytes, nextSerial: async () => 7n, sealKey: null };
  const state = must(await initialise(clusterId, { Provider: 'consul', Config: {} }, context));
  const signer = must(openSigner(state, null));
  const key = await generateKey(leafKeySpec);
  const uris = [formatSpiffe(serviceId(trustDomain, 'dc1', 'web'))];
  const csr = buildCsr({ commonName: 'web', uris, dnsNames: [], ipAddresses: [] }, key);
  const request = must(checkCsr(csr, trustDomain, 'dc1'));
  const issued = must(signLeaf(signer, request, 8n, 1, nowMs));
  const roots = must(parseCertificates(state.roots[0]!.RootCert));
  const bytes = Buffer.from(issued.CertPEM);

  const bare = measure(() => sign('sha256', bytes, signer.issuer.key));
  const rows: [string, number][] = [
    ['bare EC P-256 signature (node:crypto)', bare],
    ['sign a leaf from a checked CSR', measure(() => must(signLeaf(signer, request, 8n, 1, nowMs)))],
    ['read and check a CSR (one signature verified)', measure(() => must(checkCsr(csr, trustDomain, 'dc1')))],
    [
      'build a CSR (one signature made)',
      measure(() => buildCsr({ commonName: 'web', uris, dnsNames: [], ipAddresses: [] }, key)),
    ],
    [
      'verify a peer, chain and identity (one signature verified)',
      measure(() => {
        const [certificate] = must(parseCertificates(issued.CertPEM));
        must(
          verifyPeer({ certificate: certificate!, intermediates: [], roots, nowMs, trustDomain, purpose: 'client' }),
        );
      }),
    ],
  ];
  for (const [name, microseconds] of rows) {
    const ratio = (microseconds / bare).toFixed(2).padStart(7);
    console.log(`${name.padEnd(60)} ${microseconds.toFixed(1).padStart(8)} us ${ratio} x`);
  }
}

await main();
