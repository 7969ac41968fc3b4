import { agentFlags } from '../../agent/config/index.ts';
import type { Command } from '../command.ts';

export const agent: Command = {
  usage: '[options]',
  description: `Starts the agent and runs until it is interrupted. The agent keeps the services of its host registered and healthy, gives them identities, and answers the HTTP API; as a server it keeps the state of the datacenter.

    $ heddle agent -dev

starts one server that keeps its data in a temporary directory while it runs.`,
  groups: [],
  flags: agentFlags(),
  flagErrorTail: (error) => `==> error parsing flags: ${error}`,
  async run({ flags, args, io, signal }) {
    // What gRPC would print by itself reaches us as an error, and is said once.
    process.env.GRPC_VERBOSITY ??= 'NONE';
    const { runAgent } = await import('../../agent/index.ts');
    const { out, error } = io;
    return runAgent({ flags: new Map(flags.entries()), args, signal, out, error });
  },
};
