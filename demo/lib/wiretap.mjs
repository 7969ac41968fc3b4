// A relay on the wire between two sidecars that looks at the bytes: which TLS was agreed on, which name was asked for, and
// whether anything readable went by. It changes nothing.
import { connect, createServer } from 'node:net';

const keptBytesMax = 1 << 20;

export class Wiretap {
  connections = [];
  #server;

  async start(port, to) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#relay(client, to));
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  stop() {
    this.#server?.close();
    for (const { sockets } of this.connections) for (const socket of sockets) socket.destroy();
  }

  /** Connections on which something was said; a health check only knocks. */
  get conversations() {
    return this.connections.filter(({ sent }) => sent.bytes > 0).map((seen) => ({ ...describe(seen), seen }));
  }

  saw(text) {
    return this.connections.some(({ sent, received }) =>
      [sent, received].some(({ kept }) => Buffer.concat(kept).includes(text)),
    );
  }

  #relay(client, to) {
    const server = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    const seen = { sockets: [client, server], sent: keeper(), received: keeper() };
    this.connections.push(seen);
    client.on('data', seen.sent.add);
    server.on('data', seen.received.add);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.pipe(server).pipe(client);
  }
}

function keeper() {
  const kept = [];
  const record = {
    kept,
    bytes: 0,
    add: (chunk) => {
      if (record.bytes < keptBytesMax) kept.push(chunk);
      record.bytes += chunk.length;
    },
  };
  return record;
}

function describe({ sent, received }) {
  return {
    ...serverHello(Buffer.concat(received.kept)),
    serverName: clientHelloName(Buffer.concat(sent.kept)),
    bytes: sent.bytes + received.bytes,
  };
}

const versions = { 772: 'TLSv1.3', 771: 'TLSv1.2' };
const suites = {
  4865: 'TLS_AES_128_GCM_SHA256',
  4866: 'TLS_AES_256_GCM_SHA384',
  4867: 'TLS_CHACHA20_POLY1305_SHA256',
};

/** RFC 8446 §4.1.3: the version agreed on stands in the extension supported_versions (43). */
function serverHello(bytes) {
  if (bytes[0] !== 22 || bytes[5] !== 2) return { version: 'not TLS', suite: '' };
  let at = 9 + 2 + 32;
  at += 1 + bytes[at];
  const suite = bytes.readUInt16BE(at);
  const version =
    extensions(bytes, at + 3)
      .get(43)
      ?.readUInt16BE(0) ?? bytes.readUInt16BE(9);
  return {
    version: versions[version] ?? `0x${version.toString(16)}`,
    suite: suites[suite] ?? `0x${suite.toString(16)}`,
  };
}

/** RFC 6066 §3: the name in the extension server_name (0) of the ClientHello. */
function clientHelloName(bytes) {
  if (bytes[0] !== 22 || bytes[5] !== 1) return '';
  let at = 9 + 2 + 32;
  at += 1 + bytes[at];
  at += 2 + bytes.readUInt16BE(at);
  at += 1 + bytes[at];
  const extension = extensions(bytes, at).get(0);
  return extension === undefined ? '' : extension.subarray(5, 5 + extension.readUInt16BE(3)).toString();
}

function extensions(bytes, start) {
  const found = new Map();
  const end = Math.min(bytes.length, start + 2 + bytes.readUInt16BE(start));
  for (let at = start + 2; at + 4 <= end; at += 4 + bytes.readUInt16BE(at + 2)) {
    found.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)));
  }
  return found;
}
