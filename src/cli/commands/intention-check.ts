import { type Command, CommandFailure, type Io } from '../command.ts';
import { table } from '../output.ts';

interface Explained {
  readonly Allowed: boolean;
  readonly Reason?: string;
  readonly Considered?: readonly {
    readonly SourceName: string;
    readonly DestinationName: string;
    readonly Precedence: number;
    readonly Action: string;
    readonly Verdict: string;
    readonly Why: string;
  }[];
  readonly Omitted?: number;
}

export const intentionCheck: Command = {
  usage: '[options] SRC DST',
  description: `Checks whether a connection between two services would be allowed by the intentions in force.

    $ heddle intention check web db

Exits with 0 and prints "Allowed", or with 1 and prints "Denied"; with 2 when the answer is not known.

With -explain it also says why, and lists every intention about the destination in the order of decision. The source may be
the URI of a certificate:

    $ heddle intention check -explain spiffe://other.example/ns/default/dc/dc1/svc/web db`,
  groups: ['client', 'server', 'tenancy'],
  flags: [{ name: 'explain', type: 'bool', help: 'Say which intention decided, and why the others did not.' }],
  usageExit: 2,
  async run({ args, flags, client, io }) {
    if (args.length !== 2) throw new CommandFailure('Error: command requires exactly two arguments: src and dst', 2);
    const [source, destination] = args as [string, string];
    const query = { source, destination, ...(flags.bool('explain') ? { explain: '' } : {}) };
    let answer: Explained;
    try {
      answer = await client.json<Explained>('GET', '/v1/connect/intentions/check', { query });
    } catch (error) {
      throw new CommandFailure(`Error checking the connection: ${(error as Error).message}`, 2);
    }
    io.out(answer.Allowed ? 'Allowed' : 'Denied');
    if (answer.Reason !== undefined) explain(io, answer);
    return answer.Allowed ? 0 : 1;
  },
};

function explain(io: Io, { Reason, Considered, Omitted }: Explained): void {
  io.out(`\n${Reason}`);
  const rows = (Considered ?? []).map((each) => [
    each.SourceName,
    each.DestinationName,
    each.Action,
    String(each.Precedence),
    each.Verdict,
    each.Why,
  ]);
  if (rows.length === 0) return;
  io.out(`\n${table([['Source', 'Destination', 'Action', 'Precedence', 'Verdict', 'Why'], ...rows])}`);
  if ((Omitted ?? 0) > 0) io.out(`and ${Omitted} more about other sources`);
}
