/** What the kernel (Linux) says about this process's TCP connections. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const established = '01';

/** `host:port` of the other ends of established IPv4 connections. */
export function remoteEnds(): ReadonlySet<string> {
  const own = new Set(readdirSync('/proc/self/fd').map(inodeOf));
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter((fields) => fields[3] === established && own.has(fields[9]))
      .map((fields) => addressOf(fields[2]!)),
  );
}

function inodeOf(descriptor: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  } catch (error) {
    // Closed since the folder was listed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `0B4D7F7F:206C` is 127.127.77.11:8300: the kernel writes the address little-endian. */
function addressOf(text: string): string {
  const [address, port] = text.split(':') as [string, string];
  const numbers = address.match(/../g)!.map((two) => Number.parseInt(two, 16));
  return `${numbers.reverse().join('.')}:${Number.parseInt(port, 16)}`;
}
