/**
 * Mutual TLS 1.3 with our certificates, by Node's own TLS: leaves of one root talk, strangers do not, and across a rotation
 * old and new leaves talk both ways while each side may know the old root only or both.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { privateKeyPem } from '../../../src/ca/keys.ts';
import { type Certificate, certificatePem, parseCertificate } from '../../../src/ca/x509/certificate.ts';
import { crossSign, type Issuer, issued } from '../../../src/ca/x509/issue.ts';
import { spiffeIdOf } from '../../../src/ca/x509/verify-chain.ts';
import { authority, type Leaf, leaf, must, nextSerial } from '../support.ts';

interface Party {
  readonly leaf: Leaf;
  /** Sent after the leaf. */
  readonly sends: readonly Certificate[];
  readonly trusts: readonly Certificate[];
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const tlsOptions = (party: Party) => ({
  cert: [party.leaf.certificate, ...party.sends].map(certificatePem).join(''),
  key: privateKeyPem(party.leaf.key),
  ca: party.trusts.map(certificatePem),
  minVersion: 'TLSv1.3' as const,
  rejectUnauthorized: true,
});

/** Connects, exchanges one message each way, and says who each side saw. */
async function handshake(
  client: Party,
  server: Party,
): Promise<{ seenByServer: string; seenByClient: string; protocol: string }> {
  const listener = createServer({ ...tlsOptions(server), requestCert: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`hello ${service(socket)}`);
  });
  listener.on('tlsClientError', (_error, socket) => socket.destroy());
  closers.push(() => listener.close());
  listener.listen(0, '127.0.13.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ ...tlsOptions(client), port, host: '127.0.13.1', checkServerIdentity: () => undefined });
  closers.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  const seenByClient = service(socket);
  const refused = once(socket, 'close').then((): [Buffer] => {
    throw new Error('the server closed before it said anything');
  });
  const [greeting] = (await Promise.race([once(socket, 'data'), refused])) as [Buffer];
  return {
    seenByServer: greeting.toString().replace('hello ', ''),
    seenByClient,
    protocol: socket.getProtocol() ?? '',
  };
}

function service(socket: TLSSocket): string {
  const id = must(spiffeIdOf(must(parseCertificate(socket.getPeerCertificate().raw))));
  return id.kind === 'service' ? id.service : id.kind;
}

describe('mutual TLS 1.3', () => {
  let old: Issuer;
  let fresh: Issuer;
  let bridge: Certificate;
  const nowMs = Date.now();
  beforeAll(async () => {
    [old, fresh] = await Promise.all([authority(undefined, 'pri-old', nowMs), authority(undefined, 'pri-new', nowMs)]);
    bridge = issued(crossSign(fresh.certificate, old, nextSerial(), nowMs));
  });
  const party = async (
    name: string,
    issuer: Issuer,
    trusts: readonly Issuer[],
    sends: readonly Certificate[] = [],
  ): Promise<Party> => ({
    leaf: await leaf(issuer, name, { nowMs }),
    sends,
    trusts: trusts.map((trusted) => trusted.certificate),
  });

  it('between two leaves of one root', async () => {
    const result = await handshake(await party('web', old, [old]), await party('db', old, [old]));
    expect(result).toEqual({ seenByServer: 'web', seenByClient: 'db', protocol: 'TLSv1.3' });
  });

  it('not with a leaf of a root nobody trusts', async () => {
    const stranger = await authority(undefined, 'pri-stranger', nowMs);
    await expect(handshake(await party('web', old, [old]), await party('db', stranger, [old]))).rejects.toThrow();
    // In TLS 1.3 the client learns of the refusal at its first read.
    await expect(handshake(await party('web', stranger, [old]), await party('db', old, [old]))).rejects.toThrow();
  });

  const oldParty = (name: string) => party(name, old, [old]);
  const between = (name: string) => party(name, old, [old, fresh]);
  const newParty = (name: string) => party(name, fresh, [old, fresh], [bridge]);
  const crossings = [
    ['an old client and a new server', oldParty, newParty],
    ['a new client and an old server', newParty, oldParty],
    ['a client with both roots and a new server', between, newParty],
    ['two new parties', newParty, newParty],
  ] as const;
  it.each(crossings)('across a rotation: %s', async (_name, client, server) => {
    const result = await handshake(await client('web'), await server('db'));
    expect(result).toEqual({ seenByServer: 'web', seenByClient: 'db', protocol: 'TLSv1.3' });
  });

  it('across an RSA rotation too', async () => {
    const rsa = await authority({ type: 'rsa', bits: 2048 }, 'pri-rsa', nowMs);
    const rsaBridge = issued(crossSign(rsa.certificate, old, nextSerial(), nowMs));
    const result = await handshake(await oldParty('web'), await party('db', rsa, [old, rsa], [rsaBridge]));
    expect(result.seenByClient).toBe('db');
  });
});
