/** Reads the one message of a stream from chunks of any size: label, frame, compression, message. */
import type { CounterName } from '../metrics.ts';
import { decryptStream, streamFrameBytes, streamFrameHeaderBytes } from '../security/encryption.ts';
import { labelHeaderBytes, stripLabel } from '../security/label.ts';
import { streamBytesMax } from '../wire/limits.ts';
import { typeByte } from '../wire/messages.ts';
import { decodeStream, type StreamMessage, StreamScanner } from '../wire/stream.ts';
import type { EnvelopeOptions } from './envelope.ts';

export type StreamOutcome =
  | { readonly kind: 'message'; readonly message: StreamMessage }
  | {
      readonly kind: 'refused';
      readonly counter: CounterName;
      readonly detail: string;
      /** Tell the other side, since its operator can do something about it. */
      readonly reply: boolean;
    };

export class StreamReader {
  private readonly options: EnvelopeOptions;
  private readonly labelled: boolean;
  private buffer = new Uint8Array(0);
  private length = 0;
  private labelDone = false;
  private readonly scanner = new StreamScanner();

  /** `labelled`: the other side dialled, so its label comes first. */
  constructor(options: EnvelopeOptions, labelled: boolean) {
    this.options = options;
    this.labelled = labelled;
  }

  get bytesRead(): number {
    return this.length;
  }

  /** The outcome, or undefined while more bytes are needed. */
  push(chunk: Uint8Array): StreamOutcome | undefined {
    this.append(chunk);
    if (!this.labelDone) {
      const refused = this.takeLabel();
      if (refused !== undefined || !this.labelDone) return refused;
    }
    const bytes = this.buffer.subarray(0, this.length);
    if (bytes.length === 0) return undefined;
    return bytes[0] === typeByte.encrypt ? this.encrypted(bytes) : this.plain(bytes);
  }

  private append(chunk: Uint8Array): void {
    if (this.length + chunk.length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(4096, 2 * (this.length + chunk.length)));
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    this.buffer.set(chunk, this.length);
    this.length += chunk.length;
  }

  private takeLabel(): StreamOutcome | undefined {
    const bytes = this.buffer.subarray(0, this.length);
    const headerBytes = this.labelled ? labelHeaderBytes(bytes) : 0;
    if (headerBytes === undefined) return undefined;
    if (this.labelled && stripLabel(this.options.label, bytes) === undefined) {
      return { kind: 'refused', counter: 'droppedLabel', detail: 'the label of another pool', reply: false };
    }
    this.buffer = this.buffer.slice(headerBytes);
    this.length -= headerBytes;
    this.labelDone = true;
    return undefined;
  }

  private encrypted(bytes: Uint8Array): StreamOutcome | undefined {
    const { keyring, label } = this.options;
    if (!keyring.enabled) {
      const detail = 'remote state is encrypted and encryption is not configured';
      return { kind: 'refused', counter: 'droppedUndecryptable', detail, reply: true };
    }
    if (bytes.length < streamFrameHeaderBytes) return undefined;
    const frameBytes = streamFrameBytes(bytes)!;
    if (frameBytes > streamBytesMax) {
      return { kind: 'refused', counter: 'droppedTooLarge', detail: `a frame of ${frameBytes} bytes`, reply: false };
    }
    if (bytes.length < frameBytes) return undefined;
    const opened = decryptStream(keyring, bytes.subarray(0, frameBytes), label);
    if (opened !== undefined) return decoded(opened);
    const detail = 'no installed keys could decrypt the message';
    return { kind: 'refused', counter: 'droppedUndecryptable', detail, reply: true };
  }

  private plain(bytes: Uint8Array): StreamOutcome | undefined {
    const { keyring, verifyIncoming } = this.options;
    // An error may answer in plain text even to a keyed member: it carries no state.
    if (keyring.enabled && verifyIncoming && bytes[0] !== typeByte.error) {
      const detail = 'encryption is configured but remote state is not encrypted';
      return { kind: 'refused', counter: 'droppedUndecryptable', detail, reply: true };
    }
    if (bytes.length > streamBytesMax) {
      return { kind: 'refused', counter: 'droppedTooLarge', detail: 'more bytes than accepted', reply: false };
    }
    return this.scanner.complete(bytes) ? decoded(bytes) : undefined;
  }
}

function decoded(bytes: Uint8Array): StreamOutcome {
  const result = decodeStream(bytes);
  if (result.ok) return { kind: 'message', message: result.message };
  const counter = {
    truncated: 'droppedTruncated',
    malformed: 'droppedMalformed',
    'crc-mismatch': 'droppedCrc',
    'unknown-type': 'droppedUnknownType',
    'too-deep': 'droppedTooDeep',
    'too-large': 'droppedTooLarge',
  } as const;
  return {
    kind: 'refused',
    counter: counter[result.problem],
    detail: result.detail,
    reply: bytes[0] === typeByte.compress,
  };
}
