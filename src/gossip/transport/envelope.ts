/**
 * The outer layers of everything sent and received: label outside, encryption inside it, and for packets checksum and
 * compression inside that.
 *
 *     UDP packet := [label] [encryption] [CRC] message            TCP stream := [label] [frame] message
 */
import type { CounterName } from '../metrics.ts';
import { decryptPacket, encryptionOverheadBytes, encryptPacket, encryptStream } from '../security/encryption.ts';
import type { Keyring } from '../security/keyring.ts';
import { addLabel, labelOverheadBytes, stripLabel } from '../security/label.ts';
import { encodePacket } from '../wire/packet.ts';
import { encodeStream, type StreamMessage } from '../wire/stream.ts';

export interface EnvelopeOptions {
  readonly keyring: Keyring;
  readonly label: Uint8Array;
  readonly compression: boolean;
  /** Refuse what is not encrypted; encrypt what is sent. Both only mean something with a keyring. */
  readonly verifyIncoming: boolean;
  readonly verifyOutgoing: boolean;
}

export class Envelope {
  readonly options: EnvelopeOptions;

  constructor(options: EnvelopeOptions) {
    this.options = options;
  }

  /** Bytes that this adds to a packet, checksum apart. */
  get overheadBytes(): number {
    const { keyring, label } = this.options;
    return labelOverheadBytes(label) + (keyring.enabled ? encryptionOverheadBytes : 0);
  }

  private get encrypts(): boolean {
    return this.options.keyring.enabled && this.options.verifyOutgoing;
  }

  sealPacket(message: Uint8Array, crc: boolean): Uint8Array {
    const { keyring, label, compression } = this.options;
    const packet = encodePacket(message, { compression, crc });
    return addLabel(label, this.encrypts ? encryptPacket(keyring, packet, label) : packet);
  }

  /** The packet inside, or the counter of the reason why it is dropped. */
  openPacket(bytes: Uint8Array): { readonly packet: Uint8Array } | { readonly dropped: CounterName } {
    const { keyring, label, verifyIncoming } = this.options;
    const unlabelled = stripLabel(label, bytes);
    if (unlabelled === undefined) return { dropped: 'droppedLabel' };
    if (!keyring.enabled) return { packet: unlabelled };
    const packet = decryptPacket(keyring, unlabelled, label);
    if (packet !== undefined) return { packet };
    return verifyIncoming ? { dropped: 'droppedUndecryptable' } : { packet: unlabelled };
  }

  /** `dialled`: only the side that connects writes the label; the label protects both directions all the same. */
  sealStream(message: StreamMessage, dialled: boolean): Uint8Array {
    const { keyring, label, compression } = this.options;
    // An error answers somebody who may not be able to read anything: it stays plain text inside its frame.
    const encoded = encodeStream(message, { compression: compression && message.kind !== 'error' });
    const framed = this.encrypts ? encryptStream(keyring, encoded, label) : encoded;
    return dialled ? addLabel(label, framed) : framed;
  }
}
