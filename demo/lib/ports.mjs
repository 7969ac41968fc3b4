// Every port the demo uses, in one place; all of them move together by an offset.
import { createServer } from 'node:net';

const base = {
  http: [8500, 'agent: HTTP API'],
  server: [8300, 'agent: server RPC'],
  serfLan: [8301, 'agent: gossip'],
  serfWan: [8302, 'agent: gossip between datacenters'],
  dns: [8600, 'agent: DNS'],
  counting: [9003, 'counting service'],
  countingSpare: [9004, 'the second counting service'],
  dashboard: [9002, 'dashboard service'],
  gateway: [5050, 'dashboard: /service/counting/'],
  countingUpstream: [5000, "dashboard's sidecar: upstream counting"],
  postgres: [9432, 'PostgreSQL'],
  postgresSidecar: [9433, "PostgreSQL's sidecar, as registered (the demo's wiretap)"],
  postgresBind: [9434, "PostgreSQL's sidecar, behind the wiretap"],
  sqlUpstream: [8181, 'connect proxy of web: upstream postgresql'],
  reportUpstream: [8182, "report's sidecar: upstream postgresql"],
  webUpstream: [1234, "web's sidecar: upstream counting"],
  sidecarMin: [21_000, 'sidecars: first automatic port'],
};

export function portsAt(offset) {
  return Object.fromEntries(Object.entries(base).map(([name, [port]]) => [name, port + offset]));
}

/** The same text with every port of the demo moved. */
export function movePorts(text, offset) {
  const known = new Set(Object.values(base).map(([port]) => port));
  return text.replace(/\b\d{4,5}\b/g, (digits) =>
    known.has(Number(digits)) ? String(Number(digits) + offset) : digits,
  );
}

/** Those that somebody else holds, with what the demo wants them for. */
export async function portsTaken(offset) {
  const taken = [];
  for (const [port, purpose] of Object.values(base)) {
    if (!(await isFree(port + offset))) taken.push({ port: port + offset, purpose });
  }
  return taken;
}

/** Those of `[address, port, purpose]` that somebody else holds. */
export async function addressesTaken(wanted) {
  const free = await Promise.all(wanted.map(([address, port]) => isFree(port, address)));
  return wanted.filter((_, i) => !free[i]);
}

function isFree(port, address = '127.0.0.1') {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
