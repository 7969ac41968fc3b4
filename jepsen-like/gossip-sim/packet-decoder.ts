/**
 * What a receiver makes of a packet. A member tells one message to dozens of others, each time in the same bytes: they are
 * decoded once, by the real decoder. In a pool of thousands that is most of the work.
 */
import { type DecodedPacket, decodePacket } from '../../src/gossip/wire/packet.ts';

export interface SimPacket extends DecodedPacket {
  readonly bytes: number;
}

/** Kept on the bytes themselves: a weak map of millions costs the collector more than it saves. */
const decoded = Symbol('decoded');
type Part = Uint8Array & { [decoded]?: DecodedPacket };

/** A compound's own bytes, and each part's length. */
const compoundBytes = 2;
const partBytes = 2;

export function simPacket(parts: readonly Uint8Array[]): SimPacket {
  const messages: DecodedPacket['messages'][number][] = [];
  const problems: DecodedPacket['problems'][number][] = [];
  let bytes = parts.length === 1 ? 0 : compoundBytes;
  for (const part of parts) {
    const one = decodeOnce(part);
    for (const message of one.messages) messages.push(message);
    for (const problem of one.problems) problems.push(problem);
    bytes += part.length + (parts.length === 1 ? 0 : partBytes);
  }
  return { messages, problems, bytes };
}

function decodeOnce(part: Part): DecodedPacket {
  part[decoded] ??= decodePacket(part);
  return part[decoded];
}
