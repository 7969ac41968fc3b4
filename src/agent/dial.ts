/** Trying an address that somebody named: `host`, `host:port`, `[v6]:port`. */
import { connect } from 'node:net';

export function splitAddress(address: string, fallback: number): { readonly host: string; readonly port: number } {
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(address);
  if (parts === null) return { host: address, port: fallback };
  return { host: parts[1] ?? parts[2] ?? '', port: parts[3] === undefined ? fallback : Number(parts[3]) };
}

const dialMs = 5_000;

/** Undefined when somebody accepts. */
export function dial(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (error: Error | undefined): void => {
      socket.destroy();
      resolve(error);
    };
    socket.setTimeout(dialMs, () => end(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' })));
    socket.once('connect', () => end(undefined));
    socket.once('error', end);
  });
}
