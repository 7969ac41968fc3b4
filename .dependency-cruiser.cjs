// Who may import whom (ARCHITECTURE.md, "Rooms"). Every rule says why and what to do instead.
const room = (name) => `^src/${name}/`;
const only = (name, allowed, why) => ({
  name: `${name}-imports`,
  comment: why,
  severity: 'error',
  from: { path: room(name) },
  to: { path: '^src/', pathNot: [room(name), '^src/(version|package-root)\\.ts$', ...allowed.map(room)] },
});
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one file: merge them or extract what both need.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    only('std', [], 'std is the floor: it imports nothing.'),
    only('structs', ['std'], 'structs describes records; behaviour lives elsewhere.'),
    only('raft', ['std'], 'raft is a library of its own: it knows no catalog, no HTTP, no agent.'),
    only('gossip', ['std'], 'gossip is a library of its own: it knows no catalog, no HTTP, no agent.'),
    only('ca', ['std', 'structs'], 'ca makes identities; it does not know where they are stored or served.'),
    only('fsm', ['std', 'structs'], 'the state machine depends on nothing that could differ between replicas.'),
    only('mesh', ['std', 'structs', 'ca', 'fsm'], 'mesh decides on data; it reads state and identities only.'),
    only(
      'api',
      ['std', 'structs', 'mesh', 'ca', 'fsm'],
      'doors decode, ask and encode; what they ask is an interface of their own.',
    ),
    only('proxy', ['std', 'structs', 'mesh', 'ca'], 'the data plane stands alone: it is fed by snapshots.'),
    only(
      'cli',
      ['std', 'structs', 'proxy', 'agent', 'ca'],
      'commands speak HTTP as any client; only `agent` and `connect proxy` start a process (loaded lazily).',
    ),
    {
      name: 'pure-cores',
      comment: 'A pure core takes clock, disk, network and chance as arguments.',
      severity: 'error',
      from: { path: '^src/(std|structs|raft/core|gossip/(swim|wire|serf)|fsm/commands|ca/identity|mesh)/' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'only-entry-points-import-agent',
      comment: 'agent is the composition root.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/agent/', '^src/cli/', '^src/index\\.ts$', '^src/testing/'] },
      to: { path: '^src/agent/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
