import { type Command, CommandFailure } from '../command.ts';
import type { ApiClient } from '../http-client.ts';

export const maint: Command = {
  usage: '[options]',
  description: `Puts a node or a service into maintenance mode, in which look-ups leave it out, or takes it out again. Without an
action, shows what is in maintenance.

    $ heddle maint -enable -reason="disk swap"

    $ heddle maint -enable -service=web1`,
  groups: ['client'],
  flags: [
    { name: 'disable', type: 'bool', help: 'Disable maintenance mode.' },
    { name: 'enable', type: 'bool', help: 'Enable maintenance mode.' },
    { name: 'reason', type: 'string', help: 'Text describing the maintenance reason.' },
    { name: 'service', type: 'string', help: 'Control maintenance mode for a specific service ID.' },
  ],
  async run({ flags, client, io }) {
    const [enable, disable, service] = [flags.bool('enable'), flags.bool('disable'), flags.string('service')];
    if (enable && disable) throw new CommandFailure('Only one of -enable or -disable may be provided');
    if (flags.string('reason') !== '' && !enable) throw new CommandFailure('Reason may only be provided with -enable');
    if (service !== '' && !enable && !disable) throw new CommandFailure('Service requires either -enable or -disable');
    if (!enable && !disable) {
      for (const block of await inMaintenance(client)) io.out(block);
      return 0;
    }
    const path =
      service === '' ? '/v1/agent/maintenance' : `/v1/agent/service/maintenance/${encodeURIComponent(service)}`;
    const query = {
      enable: String(enable),
      reason: flags.string('reason') === '' ? undefined : flags.string('reason'),
    };
    try {
      await client.expect('PUT', path, { query });
    } catch (error) {
      throw new CommandFailure(
        `Error ${enable ? 'enabling' : 'disabling'} ${service === '' ? 'node' : 'service'} maintenance: ${(error as Error).message}`,
      );
    }
    const what = service === '' ? 'Node maintenance' : 'Service maintenance';
    io.out(
      `${what} is now ${enable ? 'enabled' : 'disabled'}${service === '' ? '' : ` for ${JSON.stringify(service)}`}`,
    );
    return 0;
  },
};

interface Check {
  readonly Node: string;
  readonly CheckID: string;
  readonly Notes: string;
  readonly ServiceID: string;
}

async function inMaintenance(client: ApiClient): Promise<string[]> {
  try {
    const checks = Object.values(await client.json<Record<string, Check>>('GET', '/v1/agent/checks'));
    return checks.flatMap((check) => {
      if (check.CheckID === '_node_maintenance') return [`Node:\n  Name:   ${check.Node}\n  Reason: ${check.Notes}\n`];
      if (check.CheckID.startsWith('_service_maintenance:'))
        return [`Service:\n  ID:     ${check.ServiceID}\n  Reason: ${check.Notes}\n`];
      return [];
    });
  } catch (error) {
    throw new CommandFailure(`Error querying agent: ${(error as Error).message}`);
  }
}
