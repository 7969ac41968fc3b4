/**
 * Fault catalogue N13. Bits flip on the way between two servers (a switch with bad memory: TCP's sixteen bits of checksum let one damaged
 * segment in 65,536 pass, and a proxy or a middlebox computes them anew). Real transports talk through a relay that does it: what arrives
 * is what was sent or nothing, and the streams come back.
 */
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { GrpcTransport, type Message, type TransportHandlers } from '../../src/raft/index.ts';
import { raftService } from '../../src/raft/transport/service.ts';
import { toWire } from '../../src/raft/transport/wire.ts';
import { type Random, seededRandom } from '../../src/std/random.ts';

const host = '127.0.11.13';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Passes everything on, and flips one bit in a share of what it reads. */
class Relay {
  /** Of the pieces that pass; 0: honest. */
  share = 0;
  flips = 0;
  port = 0;
  readonly #random: Random;
  readonly #target: number;

  constructor(target: number, random: Random) {
    this.#target = target;
    this.#random = random;
  }

  async listen(): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = dial(this.#target, host);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('data', (bytes) => to.write(this.#carried(bytes)));
        from.on('error', () => to.destroy());
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    ({ port: this.port } = server.address() as AddressInfo);
  }

  #carried(bytes: Buffer): Buffer {
    if (!this.#random.chance(this.share)) return bytes;
    const damaged = Buffer.from(bytes);
    const at = this.#random.int(0, bytes.length - 1);
    damaged[at] = damaged[at]! ^ (1 << this.#random.int(0, 7));
    this.flips++;
    return damaged;
  }
}

async function transport(id: string, handlers: Partial<TransportHandlers>): Promise<GrpcTransport> {
  const made = new GrpcTransport({
    id,
    clusterId: 'test',
    listen: `${host}:0`,
    checkpointChunkBytes: 2_000,
    silenceMsMax: 200,
  });
  await made.start({
    messages: () => undefined,
    peerBroken: () => undefined,
    checkpointOffered: async () => undefined,
    ...handlers,
  });
  closers.push(() => made.stop());
  return made;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Everything in it follows from its number. */
function message(number: number): Message {
  const envelope = { from: 'a', to: 'b', term: number } as const;
  if (number % 3 === 0) return { kind: 'voteRequest', ...envelope, lastIndex: number, lastTerm: 2, transfer: true };
  if (number % 3 === 1) return { kind: 'heartbeat', ...envelope, commitIndex: number, readRound: 1, sentMs: number };
  const data = Buffer.alloc(300, `value ${number}.`);
  const entries = [{ kind: 'command', index: number + 1, term: number, data } as const];
  return { kind: 'append', ...envelope, prevIndex: number, prevTerm: 1, entries, commitIndex: 0, sentMs: number };
}

it('a message arrives as it was sent, or not at all', async () => {
  const wrong: Message[] = [];
  let arrived = 0;
  const receiver = await transport('b', {
    messages: (batch) => {
      for (const each of batch) {
        arrived++;
        if (text(each) !== text(message(each.term))) wrong.push(each);
      }
    },
  });
  const relay = new Relay(receiver.port, seededRandom('flips'));
  await relay.listen();
  let broken = 0;
  const sender = await transport('a', { peerBroken: () => broken++ });
  sender.setPeers({ b: `${host}:${relay.port}` });
  for (let number = 1; relay.flips < 60 || arrived < 500; number++) {
    relay.share = arrived < 20 ? 0 : 0.05;
    sender.send(message(number));
    await turn();
  }
  relay.share = 0;
  const before = arrived;
  for (let number = 1; arrived < before + 100; number++) {
    sender.send(message(number));
    await turn();
  }
  expect(wrong).toEqual([]);
  expect(broken).toBeGreaterThan(0);
}, 15_000);

const text = (value: Message): string =>
  JSON.stringify(value, (_key, part) => (part instanceof Uint8Array ? Buffer.from(part).toString('latin1') : part));

const hello = { clusterId: 'test', from: 'a', to: 'b', bulk: true };
const configuration = { voters: ['a', 'b'], votersOutgoing: [], learners: [], addresses: { a: '1', b: '2' } };
const offer = { hello, term: 7, id: 'c', index: 5, entryTerm: 6, configuration, sizeBytes: 9, checksum: 'abc' };
it.each([
  { name: 'a greeting', codec: raftService.messages, value: { hello } },
  { name: 'messages', codec: raftService.messages, value: { messages: [1, 2, 3].map((n) => toWire(message(n))) } },
  { name: 'nothing', codec: raftService.messages, value: {} },
  { name: 'the offer of a checkpoint', codec: raftService.installCheckpoint, value: { offer } },
  {
    name: 'a part of a checkpoint',
    codec: raftService.installCheckpoint,
    value: { chunk: { offset: 3, data: Buffer.from('rows') } },
  },
])('$name is refused whichever bit is flipped, and wherever it is cut', ({ codec, value }) => {
  const { requestSerialize, requestDeserialize } = codec;
  const sent = requestSerialize(value);
  expect(() => requestDeserialize(sent)).not.toThrow();
  for (let bit = 0; bit < 8 * sent.length; bit++) {
    const damaged = Buffer.from(sent);
    damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
    expect(() => requestDeserialize(damaged), `bit ${bit}`).toThrow('damaged on its way');
  }
  for (let end = 0; end < sent.length; end++) {
    expect(() => requestDeserialize(sent.subarray(0, end)), `cut at ${end}`).toThrow('damaged on its way');
  }
});
