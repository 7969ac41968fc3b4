/** Errors of connections in the words that tools know from the reference (they are those of Go's `net`). */

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  ETIMEDOUT: 'connect: connection timed out',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
  EACCES: 'connect: permission denied',
  ENOENT: 'connect: no such file or directory',
  EPIPE: 'write: broken pipe',
};

/** `dial tcp 127.0.0.1:1: connect: connection refused`. */
export function dialError(error: unknown, target: string): string {
  const { code, hostname } = error as NodeJS.ErrnoException & { hostname?: string };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const reason = code === 'ENOTFOUND' ? 'no such host' : 'Temporary failure in name resolution';
    return `dial tcp: lookup ${hostname ?? target.replace(/:\d+$/, '')}: ${reason}`;
  }
  const text = code === undefined ? undefined : words[code];
  return `dial tcp ${target}: ${text ?? plain(error)}`;
}

export function plain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a TLS client says of a peer that does not speak TLS, or whose certificate it does not trust. */
export function tlsError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EPROTO' || /wrong version number|packet length too long/i.test(message)) {
    return 'tls: first record does not look like a TLS handshake';
  }
  if (/self.signed|unable to (get|verify)/i.test(message)) {
    return 'x509: certificate signed by unknown authority';
  }
  return message;
}

/** Splits `host:port`, `[v6]:port`; undefined when there is no port. */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const parts = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) return undefined;
  return { host: parts[1] ?? parts[2] ?? '', port };
}
