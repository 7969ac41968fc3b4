/** Passes when a connection can be made (with TLS: and the handshake ends). */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { dialError, splitHostPort, tlsError } from './net-errors.ts';
import type { Probe } from './periodic.ts';

export interface TcpTarget {
  readonly address: string;
  readonly timeoutMs: number;
  readonly tls: boolean;
  readonly serverName: string;
  readonly skipVerify: boolean;
}

export function tcpProbe(target: TcpTarget): Probe {
  return (signal) =>
    new Promise((resolve) => {
      const place = splitHostPort(target.address);
      if (place === undefined) {
        const output = `dial tcp: address ${target.address}: missing port in address`;
        return resolve({ status: 'critical', output });
      }
      const socket: Socket = target.tls
        ? connectTls({
            host: place.host,
            port: place.port,
            servername: target.serverName || place.host,
            rejectUnauthorized: !target.skipVerify,
          })
        : connect({ host: place.host, port: place.port });
      const end = (status: 'passing' | 'critical', output: string): void => {
        signal.removeEventListener('abort', abort);
        socket.destroy();
        resolve({ status, output });
      };
      const abort = (): void => end('critical', 'stopped');
      signal.addEventListener('abort', abort);
      socket.setTimeout(target.timeoutMs, () => end('critical', `dial tcp ${target.address}: i/o timeout`));
      socket.once(target.tls ? 'secureConnect' : 'connect', () =>
        end('passing', `TCP connect ${target.address}: Success`),
      );
      socket.on('error', (error: NodeJS.ErrnoException) =>
        end('critical', target.tls && error.syscall !== 'connect' ? tlsError(error) : dialError(error, target.address)),
      );
    });
}
