import { type Command, CommandFailure } from '../command.ts';
import { compileRegExp, table } from '../output.ts';

interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Tags: Readonly<Record<string, string>>;
  readonly Status: number;
}

const statuses = ['none', 'alive', 'leaving', 'left', 'failed'];

export const members: Command = {
  usage: '[options]',
  description: `Lists the members of the gossip pool that the agent belongs to, and what it believes of them.

    $ heddle members -status=alive`,
  groups: ['client'],
  flags: [
    { name: 'detailed', type: 'bool', help: 'Provides detailed information about nodes.' },
    {
      name: 'segment',
      type: 'string',
      default: '_all',
      help: 'Accepted for compatibility: there are no network segments.',
    },
    {
      name: 'status',
      type: 'string',
      default: '.*',
      help: 'If provided, output is filtered to only nodes matching the regular expression for status.',
    },
    {
      name: 'wan',
      type: 'bool',
      help: 'If the agent is in server mode, this can be used to return the other peers in the WAN pool.',
    },
  ],
  async run({ flags, client, io }) {
    const status = compileRegExp(flags.string('status'), 'Failed to compile status regexp');
    const query = {
      segment: flags.bool('wan') ? undefined : flags.string('segment'),
      wan: flags.bool('wan') ? '1' : undefined,
    };
    let all: readonly Member[];
    try {
      all = (await client.json<readonly Member[] | null>('GET', '/v1/agent/members', { query })) ?? [];
    } catch (error) {
      throw new CommandFailure(`Error retrieving members: ${(error as Error).message}`);
    }
    const shown = all.filter((member) => status.test(statuses[member.Status] ?? 'none'));
    if (shown.length === 0) return 2;
    shown.sort((a, b) => order(a) - order(b) || (a.Name < b.Name ? -1 : 1));
    io.out(flags.bool('detailed') ? detailed(shown) : brief(shown));
    return 0;
  },
};

/** Servers first, as their segment `<all>` sorts before `<default>`. */
const order = (member: Member): number => (member.Tags.role === 'consul' ? 0 : 1);
const segmentOf = ({ Tags }: Pick<Member, 'Tags'>): string => (Tags.role === 'consul' ? '<all>' : '<default>');
const address = (member: Member): string =>
  `${member.Addr.includes(':') ? `[${member.Addr}]` : member.Addr}:${member.Port}`;

function brief(list: readonly Member[]): string {
  const rows = list.map(({ Name, Tags, Status, ...rest }) => [
    Name,
    address({ Name, Tags, Status, ...rest }),
    statuses[Status] ?? 'none',
    Tags.role === 'consul' ? 'server' : Tags.role === 'node' ? 'client' : 'unknown',
    (Tags.build ?? '').split(':')[0]!,
    Tags.vsn ?? '',
    Tags.dc ?? '',
    segmentOf({ Tags }),
  ]);
  return table([['Node', 'Address', 'Status', 'Type', 'Build', 'Protocol', 'DC', 'Segment'], ...rows]);
}

function detailed(list: readonly Member[]): string {
  const rows = list.map((member) => [
    member.Name,
    address(member),
    statuses[member.Status] ?? 'none',
    Object.entries({ ...member.Tags, segment: segmentOf(member) })
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
  ]);
  return table([['Node', 'Address', 'Status', 'Tags'], ...rows]);
}
