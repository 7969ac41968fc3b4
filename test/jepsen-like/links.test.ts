/**
 * A cut link carries nothing, new connections or old, dialled by either side, with a proxy before the servers or without: two
 * programs in namespaces of their own send each other numbers, and say what they hear.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../jepsen-like/real/fault-proxy.ts';
import { TestNetwork } from '../../jepsen-like/real/network.ts';
import { Slot } from '../../jepsen-like/real/slot.ts';

const port = 8300;
/** Listens, dials the other, and sends a number each 10 ms on both connections; prints `dialled 7` and `taken 7` as it hears. */
const program = `
  const { createServer, connect } = require('node:net');
  const [own, other] = process.argv.slice(1);
  const talk = (socket, kind) => {
    const timer = setInterval(() => socket.write('.'), 10);
    // Who only knocks goes away at once.
    socket.setNoDelay(true).on('error', () => {}).on('close', () => clearInterval(timer)).on('data', () => console.log(kind));
  };
  createServer((socket) => talk(socket, 'taken')).listen(${port}, own, () => console.log('listening'));
  process.stdin.once('data', () => {
    const socket = connect(${port}, other);
    talk(socket, 'dialled');
  });`;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

class Talker {
  /** How often it heard something, by who had dialled. */
  readonly heard = { listening: 0, dialled: 0, taken: 0 };
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(network: TestNetwork, index: number, own: string, other: string) {
    const [first, ...rest] = network.inside(index, [process.execPath, '-e', program, own, other]);
    this.#child = spawn(first!, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    cleanups.push(() => this.#child.kill('SIGKILL'));
    createInterface({ input: this.#child.stdout! }).on('line', (kind) => {
      this.heard[kind as 'dialled']++;
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    });
  }

  dial(): void {
    this.#child.stdin!.write('go\n');
  }

  /** Until it has heard so much more; `listening` is said once. */
  async hears(kind: 'listening' | 'dialled' | 'taken', more = 1): Promise<void> {
    const wanted = kind === 'listening' ? 1 : this.heard[kind] + more;
    while (this.heard[kind] < wanted) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }
}

async function stage(proxied: boolean): Promise<{ network: TestNetwork; a: Talker; b: Talker; at: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-links-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const slot = Slot.claim(folder);
  cleanups.push(() => slot.release());
  const subnet = slot.subnet('bridge');
  const network = TestNetwork.create(2, subnet, slot.networkName);
  cleanups.push(() => network.remove());
  const own = [`${subnet}.1`, `${subnet}.2`];
  const at = proxied ? [`${subnet}.101`, `${subnet}.102`] : own;
  if (proxied) {
    for (const address of at) network.addHostAddress(address);
    const ways = at.map((listen, i) => ({ listen, target: own[i]!, tcpPorts: [port], udpPorts: [] }));
    const proxy = await FaultProxy.start(ways, () => 0.5);
    cleanups.push(() => proxy.stop());
    network.attach(proxy);
  }
  const a = new Talker(network, 0, own[0]!, at[1]!);
  const b = new Talker(network, 1, own[1]!, at[0]!);
  await Promise.all([a.hears('listening'), b.hears('listening')]);
  a.dial();
  b.dial();
  await Promise.all([a.hears('dialled'), a.hears('taken'), b.hears('dialled'), b.hears('taken')]);
  return { network, a, b, at };
}

/**
 * What was under way when the link was cut arrives, perhaps late; then whoever is cut off hears nothing while the witness looks.
 * Over a link that is not cut, where something comes every 10 ms, this never ends.
 */
async function silent(talkers: readonly Talker[], witness: () => Promise<unknown>): Promise<void> {
  const heard = (): string => JSON.stringify(talkers.map((talker) => talker.heard));
  for (let before = ''; before !== heard(); ) {
    before = heard();
    await witness();
  }
}

describe.skipIf(TestNetwork.missing() !== undefined).each([
  ['straight', false],
  ['through a proxy', true],
])('%s', (_, proxied) => {
  it('a cut link carries nothing in either direction, and everything after', async () => {
    const { network, a, b, at } = await stage(proxied);
    const probe = () => network.reaches(0, at[1]!, port, 300);
    expect(await probe()).toBe(true);
    network.cut(0, 1);
    await silent([a, b], async () => expect(await probe()).toBe(false));
    network.heal();
    await Promise.all([a.hears('dialled'), a.hears('taken'), b.hears('dialled'), b.hears('taken')]);
    expect(await probe()).toBe(true);
  }, 90_000);

  it('cut one way, the one that is not heard still hears', async () => {
    const { network, a, b } = await stage(proxied);
    network.dropTo(0, 1);
    // On the connection that B dialled, A's words and its acknowledgements are lost, so B's come until the window is full.
    await silent([b], () => a.hears('taken', 3));
    network.heal();
    await Promise.all([b.hears('dialled'), b.hears('taken')]);
  }, 90_000);
});
