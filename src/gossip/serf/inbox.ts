/** Serf's messages as they come in by gossip or straight from a member. What is new is told on in the very bytes received. */
import type { Endpoint } from '../swim/types.ts';
import type { WireProblem } from '../wire/malformed.ts';
import { decodeSerf, type SerfMessage } from '../wire/serf.ts';
import type { SerfContext } from './context.ts';
import type { AnswerDesk, QueryRegister } from './queries.ts';
import type { QueueName } from './queues.ts';
import type { Roster } from './roster.ts';
import type { UserEventLog } from './user-events.ts';

export interface InboxParts {
  readonly roster: Roster;
  readonly userEvents: UserEventLog;
  readonly answers: AnswerDesk;
  readonly queries: QueryRegister;
  /** `from`: who told us, where that is known. */
  tellOn(queue: QueueName, bytes: Uint8Array, from: Endpoint | undefined): void;
  /** Straight to a member. */
  send(to: Endpoint, body: Uint8Array): void;
  problem(problem: WireProblem): void;
}

export class Inbox {
  private readonly context: SerfContext;
  private readonly parts: InboxParts;

  constructor(context: SerfContext, parts: InboxParts) {
    this.context = context;
    this.parts = parts;
  }

  receive(bytes: Uint8Array, from: Endpoint | undefined): void {
    const decoded = decodeSerf(bytes);
    if (decoded.ok) this.message(decoded.message, bytes, from);
    else this.parts.problem(decoded.problem);
  }

  private message(message: SerfMessage, bytes: Uint8Array, from: Endpoint | undefined): void {
    const { roster, userEvents, answers, queries, tellOn, send } = this.parts;
    switch (message.kind) {
      case 'join':
        if (roster.joinIntent(message.body.LTime, message.body.Node)) tellOn('intents', bytes, from);
        return;
      case 'leave': {
        const { LTime, Node, Prune } = message.body;
        if (roster.leaveIntent(LTime, Node, Prune)) tellOn('intents', bytes, from);
        return;
      }
      case 'userEvent':
        if (userEvents.receive(message.body)) tellOn('events', bytes, from);
        return;
      case 'query':
        if (answers.receive(message.body)) tellOn('queries', bytes, from);
        return;
      case 'queryResponse':
        return queries.receive(message.body);
      case 'relay':
        if (message.body.DestAddr === '') return this.context.counters.add('droppedMalformed');
        return send({ address: message.body.DestAddr, port: message.body.DestPort }, message.body.inner);
      case 'pushPull':
        // Stands in push-pulls only.
        return this.context.counters.add('droppedUnknownType');
    }
  }
}
