/**
 * Every capture of a real agent is decoded, encoded again and decoded: the two decoded forms are equal, and where no Go
 * map (random order) is inside, so are the bytes, down to checksum and compression.
 */
import { describe, expect, it } from 'vitest';
import { decryptPacket, decryptStream, encryptPacket, encryptStream } from '../../../src/gossip/security/encryption.ts';
import { decodeMessage, encodeMessage, type Message } from '../../../src/gossip/wire/messages.ts';
import { bundle, decodePacket, decompress, encodeCompress, encodePacket } from '../../../src/gossip/wire/packet.ts';
import {
  decodeConflictResponse,
  decodeFilter,
  decodeKeyRequest,
  decodeKeyResponse,
  decodePingPayload,
  decodeSerf,
  decodeTags,
  encodeSerf,
} from '../../../src/gossip/wire/serf.ts';
import { decodeStream, encodeStream, type StreamMessage, StreamScanner } from '../../../src/gossip/wire/stream.ts';
import { type Capture, capture, captures } from '../support/captures.ts';

const udp = captures.filter(({ transport }) => transport === 'udp');
const tcp = captures.filter(({ transport }) => transport === 'tcp');
const none = new Uint8Array(0);

function messagesOf(found: Capture): readonly Message[] {
  const { messages, problems } = decodePacket(found.plain);
  expect(problems).toEqual([]);
  return messages;
}

function streamOf(found: Capture): StreamMessage {
  const decoded = decodeStream(found.plain);
  if (!decoded.ok) throw new Error(`${found.name}: ${decoded.problem} ${decoded.detail}`);
  return decoded.message;
}

it('all 62 captures are here', () => {
  expect(captures.length).toBe(62);
});

describe('UDP', () => {
  it.each(udp)('$name: decode, encode, decode', (found) => {
    const messages = messagesOf(found);
    expect(messages.length).toBeGreaterThan(0);
    const again = bundle(messages.map(encodeMessage));
    expect(decodePacket(again)).toEqual({ messages, problems: [] });
  });

  it.each(udp)('$name: the envelope is rebuilt byte for byte', (found) => {
    const crc = found.plain[0] === 12;
    const inner = crc ? found.plain.subarray(5) : found.plain;
    const compressed = inner[0] === 9;
    const message = compressed ? decompress(inner, 10_000) : inner;
    expect(encodePacket(message, { compression: compressed, crc })).toEqual(new Uint8Array(found.plain));
  });

  it.each(udp)('$name: each message is rebuilt byte for byte', (found) => {
    const { messages } = decodePacket(found.plain);
    for (const message of messages) expect(decodeMessage(encodeMessage(message))).toEqual(message);
    const plain = found.plain[0] === 12 ? found.plain.subarray(5) : found.plain;
    const inner = plain[0] === 9 ? decompress(plain, 10_000) : plain;
    expect(bundle(messages.map(encodeMessage))).toEqual(new Uint8Array(inner));
  });

  it.each(udp)('$name: Serf messages inside survive decode, encode, decode', (found) => {
    for (const message of messagesOf(found)) {
      if (message.kind !== 'user') continue;
      const decoded = decodeSerf(message.body);
      if (!decoded.ok) throw new Error(decoded.problem);
      expect(encodeSerf(decoded.message)).toEqual(new Uint8Array(message.body));
    }
  });
});

describe('TCP', () => {
  it.each(tcp)('$name: decode, encode, decode, byte for byte', (found) => {
    const message = streamOf(found);
    const compression = found.plain[0] === 9;
    const again = encodeStream(message, { compression });
    expect(again).toEqual(new Uint8Array(found.plain));
    expect(decodeStream(again)).toEqual({ ok: true, message });
  });

  it.each(tcp)('$name: the scanner finds the end, whatever the fragments', (found) => {
    const scanner = new StreamScanner();
    for (let length = 0; length < found.plain.length; length++) {
      expect(scanner.complete(found.plain.subarray(0, length)), `at ${length}`).toBe(false);
    }
    expect(scanner.complete(found.plain)).toBe(true);
  });

  it.each(tcp.filter(({ plain }) => plain[0] === 6 || plain[0] === 9))('$name: user state survives', (found) => {
    const message = streamOf(found);
    if (message.kind !== 'pushPull') throw new Error(message.kind);
    const decoded = decodeSerf(message.body.UserState);
    if (!decoded.ok) throw new Error(decoded.problem);
    const again = decodeSerf(encodeSerf(decoded.message));
    expect(again).toEqual(decoded);
  });
});

describe('encryption', () => {
  const keyed = captures.filter(({ keyring }) => keyring !== undefined);

  it.each(keyed)(
    '$name: what we encrypt decrypts again, and a flipped bit does not',
    ({ keyring, plain, transport }) => {
      const label = new TextEncoder().encode('blue');
      const sealed =
        transport === 'udp' ? encryptPacket(keyring!, plain, label) : encryptStream(keyring!, plain, label);
      const open = transport === 'udp' ? decryptPacket : decryptStream;
      expect(new Uint8Array(open(keyring!, sealed, label)!)).toEqual(new Uint8Array(plain));
      expect(open(keyring!, sealed, none)).toBeUndefined();
      for (const at of [0, 1, 6, 20, sealed.length - 1]) {
        const broken = sealed.slice();
        broken[at]! ^= 0x10;
        expect(open(keyring!, broken, label), `bit at ${at}`).toBeUndefined();
      }
    },
  );
});

describe('what the captures say', () => {
  const rows: [string, Message[]][] = [
    [
      '01',
      [{ kind: 'ping', body: { Node: 'n1', SeqNo: 1, SourceAddr: '127.0.1.72', SourceNode: 'n2', SourcePort: 7946 } }],
    ],
    ['05', [{ kind: 'nack', body: { SeqNo: 62 } }]],
    ['07', [{ kind: 'suspect', body: { From: 'n2', Incarnation: 1, Node: 'n3' } }]],
    ['12', [{ kind: 'dead', body: { From: 'n2', Incarnation: 2, Node: 'n2' } }]],
    [
      '04',
      [
        {
          kind: 'indirectPing',
          body: {
            Nack: true,
            Node: 'n3',
            Port: 7946,
            SeqNo: 58,
            SourceAddr: '127.0.1.72',
            SourceNode: 'n2',
            SourcePort: 7946,
            Target: '127.0.1.73',
          },
        },
      ],
    ],
  ];
  it.each(rows)('%s', (prefix, expected) => {
    expect(messagesOf(capture(prefix))).toEqual(expected);
  });

  it('02: an ack carries the first coordinate, piggyback follows', () => {
    const [ackMessage, first, second, user] = messagesOf(capture('02'));
    if (ackMessage?.kind !== 'ack') throw new Error('no ack');
    const start = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
    expect(decodePingPayload(ackMessage.body.Payload)).toEqual(start);
    expect([first?.kind, second?.kind, user?.kind]).toEqual(['alive', 'alive', 'user']);
    if (first?.kind !== 'alive' || user?.kind !== 'user') throw new Error('unexpected');
    expect(decodeTags(first.body.Meta)).toEqual({ role: 'web', dc: 'east' });
    expect(decodeSerf(user.body)).toEqual({ ok: true, message: { kind: 'join', body: { LTime: 1, Node: 'n2' } } });
  });

  it('22: push-pull with a dead member, the left list and past events', () => {
    const message = streamOf(capture('22'));
    if (message.kind !== 'pushPull') throw new Error(message.kind);
    expect(message.body.Nodes.map(({ Name, State }) => [Name, State])).toContainEqual(['n3', 2]);
    const state = decodeSerf(message.body.UserState);
    if (!state.ok || state.message.kind !== 'pushPull') throw new Error('no state');
    const { LTime, EventLTime, LeftMembers, StatusLTimes, Events } = state.message.body;
    expect([LTime, EventLTime, LeftMembers]).toEqual([5, 2, ['n3']]);
    expect(Object.fromEntries(StatusLTimes)).toEqual({ n1: 0, n2: 3, n3: 4 });
    expect(Events?.length).toBe(512);
    expect(Events?.[1]?.Events?.map(({ Name, Payload }) => `${Name} ${Buffer.from(Payload!)}`)).toEqual([
      'deploy v1.2.3',
      'deploy v1.2.4',
    ]);
  });

  it('35: query filters', () => {
    const query = serfOf('35', 'query');
    expect(query.Filters?.map(decodeFilter)).toEqual([
      { kind: 'nodes', names: ['n2'] },
      { kind: 'tag', tag: 'role', expression: 'd.*' },
    ]);
  });

  it('37: a relay wraps an ack', () => {
    const relay = serfOf('37', 'relay');
    expect([relay.DestAddr, relay.DestPort, relay.DestName]).toEqual(['127.0.1.71', 7946, 'n1']);
    const inner = decodeSerf(relay.inner);
    expect(inner.ok && inner.message.kind === 'queryResponse' && inner.message.body.From).toBe('n2');
  });

  it('41: a conflict response tells of a member', () => {
    const { Payload } = serfOf('41', 'queryResponse');
    const member = decodeConflictResponse(Payload!);
    expect(member).toMatchObject({ Name: 'n2', Addr: '127.0.1.72', Port: 7946, Status: 1, DelegateCur: 5 });
    expect(Object.fromEntries(member!.Tags)).toEqual({ role: 'db', ver: '2' });
  });

  it('61 to 64: key requests and responses', () => {
    expect(decodeKeyRequest(serfOf('61', 'query').Payload)).toEqual(new Uint8Array(0));
    const listed = decodeKeyResponse(serfOf('62', 'queryResponse').Payload!)!;
    const k32 = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
    expect(listed).toEqual({ Result: true, Message: '', Keys: [k32], PrimaryKey: k32 });
    expect(decodeKeyRequest(serfOf('63', 'query').Payload)?.length).toBe(16);
    expect(decodeKeyResponse(serfOf('64', 'queryResponse').Payload!)?.Result).toBe(false);
  });

  function serfOf<K extends 'query' | 'queryResponse' | 'relay'>(prefix: string, kind: K) {
    for (const message of messagesOf(capture(prefix))) {
      if (message.kind !== 'user') continue;
      const decoded = decodeSerf(message.body);
      if (decoded.ok && decoded.message.kind === kind) {
        return decoded.message.body as Extract<typeof decoded.message, { kind: K }>['body'];
      }
    }
    throw new Error(`${prefix} has no ${kind}`);
  }
});

it('compression of the captured buffers is byte-identical both ways', () => {
  const compressed = captures
    .map(({ plain }) => (plain[0] === 12 ? plain.subarray(5) : plain))
    .filter((b) => b[0] === 9);
  expect(compressed.length).toBeGreaterThan(8);
  for (const bytes of compressed) expect(encodeCompress(decompress(bytes, 1 << 20))).toEqual(new Uint8Array(bytes));
});
