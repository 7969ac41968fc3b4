/** Passes when an HTTP/2 server answers a ping. With TLS (the default) the server must offer `h2`. */
import type { ClientHttp2Session } from 'node:http2';
import { dialError, plain, splitHostPort, tlsError } from './net-errors.ts';
import type { Probe } from './periodic.ts';
import type { Outcome } from './runner.ts';

export interface H2Target {
  readonly address: string;
  readonly timeoutMs: number;
  readonly tls: boolean;
  readonly serverName: string;
  readonly skipVerify: boolean;
}

export function h2pingProbe(target: H2Target): Probe {
  return async (signal) => {
    if (splitHostPort(target.address) === undefined) {
      return {
        status: 'critical',
        output: `Failed to dial to ${target.address}: dial tcp: address ${target.address}: invalid port`,
      };
    }
    const http2 = await import('node:http2');
    return new Promise<Outcome>((resolve) => {
      const session: ClientHttp2Session = http2.connect(`${target.tls ? 'https' : 'http'}://${target.address}`, {
        rejectUnauthorized: !target.skipVerify,
        ...(target.serverName === '' ? {} : { servername: target.serverName }),
      });
      let ended = false;
      const end = (outcome: Outcome): void => {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        session.destroy();
        resolve(outcome);
      };
      const failed = (output: string): void => end({ status: 'critical', output });
      const abort = (): void => failed('stopped');
      const timer = setTimeout(() => failed('HTTP2 ping failed: context deadline exceeded'), target.timeoutMs);
      signal.addEventListener('abort', abort);
      session.on('error', (error) => failed(`Failed to dial to ${target.address}: ${reason(error, target)}`));
      session.once('connect', () => {
        const sent = session.ping((error) =>
          error === null
            ? end({ status: 'passing', output: 'HTTP2 ping was successful' })
            : failed(`HTTP2 ping failed: ${plain(error)}`),
        );
        if (!sent) failed('HTTP2 ping failed: too many pings in flight');
      });
    });
  };
}

function reason(error: NodeJS.ErrnoException, target: H2Target): string {
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo'
    ? dialError(error, target.address)
    : tlsError(error);
}
