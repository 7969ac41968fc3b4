/**
 * The codec against everything a generator thinks of: what we encode decodes to the same, and no bytes from outside,
 * random or a damaged capture, make a decoder throw, hang or inflate beyond its bound.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressFromBytes, addressToBytes } from '../../../src/gossip/wire/address.ts';
import { crc32 } from '../../../src/gossip/wire/crc32.ts';
import { lzwCompress, lzwDecompress } from '../../../src/gossip/wire/lzw.ts';
import { encodeMessage, encodeUser, type Message } from '../../../src/gossip/wire/messages.ts';
import { MsgpackReader, MsgpackWriter } from '../../../src/gossip/wire/msgpack.ts';
import { bundle, decodePacket, encodeCompress, encodePacket } from '../../../src/gossip/wire/packet.ts';
import { decodePingPayload, decodeSerf, decodeTags, encodeSerf, encodeTags } from '../../../src/gossip/wire/serf.ts';
import { decodeStream, encodeStream, type StreamMessage, StreamScanner } from '../../../src/gossip/wire/stream.ts';
import { decodeUtf8, encodeUtf8 } from '../../../src/gossip/wire/utf8.ts';
import { captures } from '../support/captures.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const lamport = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 });
const name = fc.string({ unit: 'grapheme', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 600 });
const maybeBytes = fc.option(bytes);
const ipv4 = fc.ipV4();
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(addressFromBytes);
const address = fc.oneof(ipv4, ipv6);

const source = { SourceAddr: fc.oneof(fc.constant(''), address), SourcePort: u16, SourceNode: name };
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ SeqNo: u32, Node: name, ...source }).map((body) => ({ kind: 'ping', body }) as const),
  fc
    .record({ SeqNo: u32, Target: address, Port: u16, Node: name, Nack: fc.boolean(), ...source })
    .map((body) => ({ kind: 'indirectPing', body }) as const),
  fc.record({ SeqNo: u32, Payload: maybeBytes }).map((body) => ({ kind: 'ack', body }) as const),
  fc.record({ SeqNo: u32 }).map((body) => ({ kind: 'nack', body }) as const),
  fc.record({ Incarnation: u32, Node: name, From: name }).map((body) => ({ kind: 'suspect', body }) as const),
  fc.record({ Incarnation: u32, Node: name, From: name }).map((body) => ({ kind: 'dead', body }) as const),
  fc
    .record({ Incarnation: u32, Node: name, Addr: address, Port: u16, Meta: maybeBytes, Vsn: maybeBytes })
    .map((body) => ({ kind: 'alive', body }) as const),
  bytes.map((body) => ({ kind: 'user', body }) as const),
);

const streamMessage: fc.Arbitrary<StreamMessage> = fc.oneof(
  bytes.map((body) => ({ kind: 'user', body }) as const),
  name.map((body) => ({ kind: 'error', body }) as const),
  fc.record({ SeqNo: u32, Payload: maybeBytes }).map((body) => ({ kind: 'ack', body }) as const),
  fc.record({ SeqNo: u32, Node: name, ...source }).map((body) => ({ kind: 'ping', body }) as const),
  fc
    .record({
      Join: fc.boolean(),
      UserState: bytes,
      Nodes: fc.array(
        fc.record({
          Name: name,
          Addr: address,
          Port: u16,
          Meta: maybeBytes,
          Incarnation: u32,
          State: fc.integer({ min: 0, max: 3 }),
          Vsn: maybeBytes,
        }),
        { maxLength: 40 },
      ),
    })
    .map((body) => ({ kind: 'pushPull', body }) as const),
);

describe('round trips', () => {
  it('packets: any messages, with and without compression and checksum', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        (messages, crc, compression) => {
          const packet = encodePacket(bundle(messages.map(encodeMessage)), { crc, compression });
          expect(decodePacket(packet)).toEqual({ messages, problems: [] });
        },
      ),
    );
  });

  it('streams: any message, in any two fragments', () => {
    fc.assert(
      fc.property(streamMessage, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (sent, compression, cut) => {
        const encoded = encodeStream(sent, { compression });
        const scanner = new StreamScanner();
        const first = Math.floor(cut * encoded.length);
        if (first < encoded.length) expect(scanner.complete(encoded.subarray(0, first))).toBe(false);
        expect(scanner.complete(encoded)).toBe(true);
        expect(decodeStream(encoded)).toEqual({ ok: true, message: sent });
      }),
    );
  });

  it('Serf: user events, queries, push-pull state', () => {
    const event = fc.record({ LTime: lamport, Name: name, Payload: maybeBytes, CC: fc.boolean() });
    const query = fc.record({
      LTime: lamport,
      ID: u32,
      Addr: address,
      Port: u16,
      SourceNode: name,
      Filters: fc.option(fc.array(bytes, { maxLength: 3 })),
      Flags: u32,
      RelayFactor: fc.integer({ min: 0, max: 255 }),
      Timeout: lamport,
      Name: name,
      Payload: maybeBytes,
    });
    const past = fc.record({
      LTime: lamport,
      Events: fc.option(fc.array(fc.record({ Name: name, Payload: maybeBytes }), { maxLength: 3 })),
    });
    const state = fc.record({
      LTime: lamport,
      StatusLTimes: fc.array(fc.tuple(name, lamport)).map((pairs) => new Map(pairs)),
      LeftMembers: fc.option(fc.array(name)),
      EventLTime: lamport,
      Events: fc.option(fc.array(fc.option(past), { maxLength: 20 })),
      QueryLTime: lamport,
    });
    const any = fc.oneof(
      event.map((body) => ({ kind: 'userEvent', body }) as const),
      query.map((body) => ({ kind: 'query', body }) as const),
      state.map((body) => ({ kind: 'pushPull', body }) as const),
    );
    fc.assert(
      fc.property(any, (sent) => {
        expect(decodeSerf(encodeSerf(sent))).toEqual({ ok: true, message: sent });
      }),
    );
  });

  it('tags, text, addresses', () => {
    fc.assert(
      fc.property(fc.dictionary(name, name), (tags) => {
        expect(decodeTags(encodeTags(tags))).toEqual({ ...tags });
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(encodeUtf8(text)).toEqual(new Uint8Array(Buffer.from(text)));
        const encoded = Buffer.from(text);
        expect(decodeUtf8(encoded, 0, encoded.length)).toBe(encoded.toString());
      }),
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
        (raw) => {
          expect(addressToBytes(addressFromBytes(raw))).toEqual(raw);
        },
      ),
    );
  });

  it('LZW: from nothing to several full tables', () => {
    const repetitive = fc
      .tuple(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 3000 }),
      )
      .map(([words, picks]) => Uint8Array.from(picks.flatMap((pick) => [...words[pick % words.length]!])));
    const noise = fc.uint8Array({ maxLength: 12_000 });
    fc.assert(
      fc.property(fc.oneof(repetitive, noise), (input) => {
        expect(lzwDecompress(lzwCompress(input), input.length)).toEqual(input);
      }),
      { numRuns: 60 },
    );
  });
});

it('integers take the shortest form and come back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: Number.MAX_SAFE_INTEGER }), (value) => {
      const writer = new MsgpackWriter(1);
      writer.int(value);
      expect(new MsgpackReader(writer.finish()).int(-1000, Number.MAX_SAFE_INTEGER)).toBe(value);
    }),
  );
});

it('CRC-32 of the check string', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926);
});

describe('hostile bytes', () => {
  function swallow(input: Uint8Array): void {
    decodePacket(input);
    decodeStream(input);
    new StreamScanner().complete(input);
    const serf = decodeSerf(input);
    if (serf.ok && serf.message.kind === 'relay') decodeSerf(serf.message.body.inner);
    decodeTags(input);
    decodePingPayload(input);
  }

  it('random bytes behind every type byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 200 }), (type, rest) => {
        swallow(Uint8Array.of(type, ...rest));
      }),
      { numRuns: 2_000 },
    );
  });

  it('captures with flipped, cut and inserted bytes', () => {
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      kind: fc.constantFrom('flip', 'cut', 'insert', 'splice'),
      value: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...captures),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (found, mutations) => {
          let input = [...found.plain];
          for (const { at, kind, value } of mutations) {
            const index = Math.floor(at * input.length);
            if (kind === 'flip') input[index] = value;
            else if (kind === 'cut') input = input.slice(0, index);
            else if (kind === 'insert') input.splice(index, 0, value);
            else input.splice(index, value);
          }
          swallow(Uint8Array.from(input));
          // And behind a valid checksum, which random damage would never get past.
          swallow(encodePacket(Uint8Array.from(input), { compression: true, crc: true }));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('a compression bomb is cut off', () => {
    const bomb = encodeCompress(new Uint8Array(3_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    expect(decodePacket(bomb)).toEqual({ messages: [], problems: ['too-large'] });
  });

  it('many bombs in one packet share one bound', () => {
    const bomb = encodeCompress(encodeUser(new Uint8Array(100_000)));
    const { messages, problems } = decodePacket(bundle([bomb, bomb, bomb, bomb]));
    expect(messages.length).toBe(2);
    expect(problems).toEqual(['too-large', 'too-large']);
  });

  it('nesting is bounded', () => {
    let packet = encodeMessage({ kind: 'nack', body: { SeqNo: 1 } });
    for (let i = 0; i < 4; i++) packet = encodeCompress(packet);
    expect(decodePacket(packet).messages.length).toBe(1);
    expect(decodePacket(encodeCompress(packet))).toEqual({ messages: [], problems: ['too-deep'] });
  });

  it('a truncated compound keeps the parts that are whole', () => {
    const parts = [1, 2, 3].map((SeqNo) => encodeMessage({ kind: 'nack', body: { SeqNo } }));
    const packet = bundle(parts);
    const { messages, problems } = decodePacket(packet.subarray(0, packet.length - 1));
    expect(messages.map(({ body }) => body)).toEqual([{ SeqNo: 1 }, { SeqNo: 2 }]);
    expect(problems).toEqual(['truncated']);
  });

  it('a Lamport time beyond 2^53 is malformed, not a poisoned clock', () => {
    const writer = new MsgpackWriter();
    writer.byte(1);
    writer.mapHeader(2);
    writer.text('LTime');
    writer.raw(Uint8Array.of(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    writer.text('Node');
    writer.text('x');
    expect(decodeSerf(writer.finish())).toEqual({ ok: false, problem: 'malformed' });
  });
});

it('newer codecs: str8, bin8 and unknown keys are accepted', () => {
  const writer = new MsgpackWriter();
  writer.byte(2);
  writer.mapHeader(3);
  writer.raw(Uint8Array.of(0xd9, 5, ...new TextEncoder().encode('SeqNo')));
  writer.int(9);
  writer.text('Fresh');
  writer.listHeader(2);
  writer.float64(1.5);
  writer.nil();
  writer.text('Payload');
  writer.raw(Uint8Array.of(0xc4, 2, 7, 8));
  const expected = { kind: 'ack', body: { SeqNo: 9, Payload: Uint8Array.of(7, 8) } };
  expect(decodePacket(writer.finish())).toEqual({ messages: [expected], problems: [] });
});
