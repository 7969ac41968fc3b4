/**
 * What the pool counts. Each counter is declared here with its meaning, and only those can be counted; the agent prints
 * them under `gossip_`. Packets that make no sense end up here and nowhere else.
 */
export const counterHelp = {
  packetsReceived: 'UDP packets received',
  packetsSent: 'UDP packets sent',
  bytesReceived: 'UDP bytes received',
  bytesSent: 'UDP bytes sent',
  streamsReceived: 'TCP exchanges accepted',
  streamsSent: 'TCP exchanges begun',
  streamBytesReceived: 'TCP bytes received',
  streamBytesSent: 'TCP bytes sent',
  streamsRefused: 'TCP connections closed because too many were open',
  droppedTruncated: 'messages dropped: fewer bytes than announced',
  droppedMalformed: 'messages dropped: a value of the wrong type or out of range',
  droppedCrc: 'packets dropped: checksum mismatch',
  droppedUnknownType: 'messages dropped: unknown type',
  droppedTooDeep: 'messages dropped: nested too deep',
  droppedTooLarge: 'messages dropped: larger than accepted',
  droppedUndecryptable: 'packets dropped: no installed key opens them, or not encrypted at all',
  droppedLabel: 'packets dropped: the label of another pool',
  droppedVersion: 'alive messages and states dropped: impossible protocol versions',
  droppedNotAdmitted: 'alive messages dropped: refused by the admission rule or the allowed networks',
  droppedStale: 'messages about members dropped: an older incarnation, or nothing new',
  droppedUnexpectedAck: 'acks dropped: nobody waits for them (late, replayed or forged)',
  droppedDuplicateEvent: 'user events dropped: already seen, or too old to know',
  droppedDuplicateQuery: 'queries dropped: already seen, or too old to know',
  droppedWrongTarget: 'pings dropped: meant for a member of another name',
  sendFailures: 'packets that the system refused to send',
  probes: 'probes begun',
  probesFailed: 'probes that nobody answered',
  probesSavedByTcp: 'probes answered over TCP only: UDP is blocked somewhere',
  indirectPings: 'pings sent on behalf of others',
  suspicions: 'members suspected',
  suspicionsRefuted: 'suspicions that ended because the member spoke',
  failedThatPinged: 'push-pulls with members that were held for dead and pinged us',
  deaths: 'members declared dead by this member',
  refutations: 'accusations of ourselves refuted',
  conflicts: 'alive messages that claim a name of another address',
  pushPulls: 'push-pulls completed',
  pushPullsRefused: 'push-pulls whose state was refused',
  lateTimers: 'timers that found this process late',
  coordinatesRejected: 'coordinates that made no sense',
  queuePruned: 'broadcasts dropped from queues that grew too long',
  queryResponsesDropped: 'query responses dropped: late, duplicate or unasked',
  internalFailures: 'errors of callbacks of the application',
} as const;

export type CounterName = keyof typeof counterHelp;

export class Counters {
  /** An object, not a map: counting is on every path. */
  private readonly values = zeros();

  add(name: CounterName, count = 1): void {
    this.values[name] += count;
  }

  get(name: CounterName): number {
    return this.values[name];
  }

  /** All counters, zeros included. */
  snapshot(): Record<CounterName, number> {
    return { ...this.values };
  }
}

function zeros(): Record<CounterName, number> {
  return Object.fromEntries(Object.keys(counterHelp).map((name) => [name, 0])) as Record<CounterName, number>;
}
