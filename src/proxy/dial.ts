/**
 * Reaches one instance and proves who it is: TCP, TLS with our leaf, chain against our roots (OpenSSL), then the SPIFFE
 * identity that the catalog says must be there: trust domain without case, datacenter and service exact. Host names play
 * no part: an address is where a service happens to be, not who it is.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { sameSpiffe, serviceId, serviceSni } from '../ca/identity/index.ts';
import { ProxyError } from './errors.ts';
import { type PeerIdentity, peerIdentity } from './peer-identity.ts';
import type { Endpoint } from './snapshot.ts';
import type { TlsMaterial } from './tls-material.ts';

export interface DialedPeer {
  readonly socket: TLSSocket;
  /** The TCP connection under it. */
  readonly transport: Socket;
  readonly uri: string;
  readonly protocol: string;
  readonly resumed: boolean;
}

const unread = {} as DetailedPeerCertificate;

/** Rejects with the reason (a system or OpenSSL error, or `identity_mismatch`); nothing stays open then. */
export function dialPeer(
  endpoint: Endpoint,
  tls: TlsMaterial,
  signal: AbortSignal,
  nowMs: number,
): Promise<DialedPeer> {
  const instance = `${endpoint.id} ${endpoint.service}@${endpoint.address}:${endpoint.port}`;
  const resumable = tls.sessions.take(instance, nowMs);
  return new Promise((resolve, reject) => {
    const transport = connect({
      host: endpoint.address,
      port: endpoint.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    const socket = connectTls({
      socket: transport,
      secureContext: tls.context,
      session: resumable?.session,
      servername: serviceSni(endpoint, tls.trustDomain),
      // Called once the chain is good, in place of the comparison of host names.
      checkServerIdentity: () => undefined,
    });
    // Node prepares the whole chain for checkServerIdentity, which takes as long as the handshake; ours does not look.
    socket.getPeerCertificate = () => unread;
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      transport.off('error', onError);
    };
    const onError = (error: Error): void => {
      settle();
      socket.on('error', () => {}); // one reason is enough
      transport.on('error', () => {});
      transport.destroy(); // and TLS follows; the other order is not safe while a handshake is under way
      reject(error);
    };
    const onAbort = (): void => onError(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort);
    socket.on('error', onError);
    transport.on('error', onError);
    socket.once('secureConnect', () => {
      const resumed = socket.isSessionReused();
      const peer = resumed && resumable !== undefined ? resumable.peer : identify(socket, endpoint, tls.trustDomain);
      if (peer instanceof ProxyError) {
        onError(peer);
        return;
      }
      settle();
      transport.on('error', (error) => socket.destroy(error));
      socket.disableRenegotiation();
      socket.on('session', (session) => tls.sessions.put(instance, { session, peer }));
      resolve({ socket, transport, uri: peer.uri, protocol: socket.getProtocol() ?? '', resumed });
    });
  });
}

function identify(socket: TLSSocket, endpoint: Endpoint, trustDomain: string): PeerIdentity | ProxyError {
  const want = serviceId(trustDomain, endpoint.datacenter, endpoint.service);
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return new ProxyError('identity_mismatch', 'the peer presented no certificate', {});
  const peer = peerIdentity(certificate);
  if (!peer.ok) return new ProxyError('identity_mismatch', peer.error, {});
  if (sameSpiffe(peer.value.id, want)) return peer.value;
  const text = `peer certificate mismatch got ${peer.value.uri}, want service ${endpoint.service} in ${endpoint.datacenter}`;
  return new ProxyError('identity_mismatch', text, { got: peer.value.uri });
}
