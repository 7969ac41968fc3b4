/**
 * A checkpoint over gRPC: offer, answer (wanted? from which byte?), chunks, "done", "installed". Memory is
 * bounded by one chunk and the stream's window; a transfer that stands still for a while is given up and may resume later.
 */
import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import type { CheckpointOffer } from '../core/messages.ts';
import { RaftError } from '../errors.ts';
import type { CheckpointReceiver } from '../state-machine.ts';
import { type Hello, toNumber, type WireOffer } from './wire.ts';

export interface Part {
  readonly part: 'offer' | 'chunk' | 'done';
  readonly offer: WireOffer;
  readonly chunk: { readonly offset: number; readonly data: Uint8Array };
}

export interface Answer {
  readonly wanted: boolean;
  readonly resumeAt: number;
  readonly installed: boolean;
}

/** No answer and no room to write for this long: the transfer is given up. Installing a large state takes its time. */
const stallMsMax = 60_000;

export async function sendParts(
  stream: ClientDuplexStream<object, Answer>,
  hello: Omit<Hello, 'bulk'>,
  offer: CheckpointOffer,
  chunkBytes: number,
  read: (offset: number, bytesMax: number) => Promise<Uint8Array>,
): Promise<void> {
  const answers = new AnswerQueue(stream);
  try {
    const { term, checkpoint } = offer;
    const { id, index, configuration, sizeBytes, checksum } = checkpoint;
    const position = { id, index, entryTerm: checkpoint.term, configuration, sizeBytes, checksum };
    stream.write({ offer: { hello: { ...hello, bulk: true }, term, ...position } });
    const first = await answers.next();
    if (!first.wanted) return;
    for (let offset = toNumber(first.resumeAt); offset < sizeBytes; ) {
      const data = await read(offset, chunkBytes);
      if (data.length === 0) throw new RaftError('badPeer', { detail: `checkpoint ${id} ends at ${offset}` });
      const room = stream.write({ chunk: { offset, data } });
      offset += data.length;
      if (!room) await answers.drained();
    }
    stream.write({ done: true });
    const last = await answers.next();
    if (!last.installed) throw new RaftError('badPeer', { detail: 'the checkpoint was not installed' });
  } finally {
    stream.cancel();
  }
}

/** Answers and room as promises; the end of the stream rejects whoever waits. */
class AnswerQueue {
  readonly #stream: ClientDuplexStream<object, Answer>;
  #answers: Answer[] = [];
  #waiter: { resolve(): void; reject(reason: Error): void } | undefined;
  #ended: Error | undefined;

  constructor(stream: ClientDuplexStream<object, Answer>) {
    this.#stream = stream;
    stream.on('data', (answer: Answer) => {
      this.#answers.push(answer);
      this.#wake();
    });
    const end = (error?: Error): void => {
      this.#ended ??= error ?? new RaftError('badPeer', { detail: 'the stream ended' });
      this.#wake();
    };
    stream.on('error', end);
    stream.on('end', () => end());
    stream.on('drain', () => this.#wake());
  }

  async next(): Promise<Answer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      await this.#wait();
    }
  }

  async drained(): Promise<void> {
    while (this.#stream.writableNeedDrain) await this.#wait();
  }

  #wait(): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new RaftError('badPeer', { detail: 'the transfer stands still' })),
        stallMsMax,
      );
      timer.unref();
      this.#waiter = {
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (reason) => {
          clearTimeout(timer);
          reject(reason);
        },
      };
    });
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (this.#ended !== undefined && this.#answers.length === 0) waiter?.reject(this.#ended);
    else waiter?.resolve();
  }
}

/** The receiving side. `offered` checks the sender and asks the driver. */
export async function receiveParts(
  stream: ServerDuplexStream<Part, object>,
  offered: (offer: WireOffer) => Promise<CheckpointReceiver | undefined>,
): Promise<void> {
  let receiver: CheckpointReceiver | undefined;
  let finished = false;
  try {
    let offset = 0;
    for await (const value of stream) {
      const part = value as Part;
      if (part.part === 'offer') {
        receiver = await offered(part.offer);
        offset = receiver?.offset ?? 0;
        stream.write({ wanted: receiver !== undefined, resumeAt: offset, installed: false });
      } else if (receiver === undefined) {
        throw new RaftError('badPeer', { detail: 'a chunk without an offer' });
      } else if (part.part === 'chunk') {
        const { data } = part.chunk;
        if (toNumber(part.chunk.offset) !== offset) throw new RaftError('badPeer', { detail: 'a chunk is missing' });
        await receiver.write(data);
        offset += data.length;
      } else {
        await receiver.finish();
        finished = true;
        stream.write({ wanted: true, resumeAt: offset, installed: true });
      }
    }
  } finally {
    if (!finished) await receiver?.abort();
    stream.end();
  }
}
