/** The tree of commands. A command's file is loaded only when it runs, so that asking an agent starts quickly. */
import { beginAgent } from '../agent/process/index.ts';
import type { Command } from './command.ts';

export interface Leaf {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}
export interface Group {
  readonly summary: string;
  readonly description: string;
  readonly commands: Readonly<Record<string, Leaf | Group>>;
}

export const isGroup = (entry: Leaf | Group): entry is Group => 'commands' in entry;

export const root: Group = {
  summary: '',
  description: 'Heddle decides which services may meet: a registry, intentions and a built-in sidecar.',
  commands: {
    agent: {
      summary: 'Runs a Heddle agent',
      load: async () => {
        beginAgent();
        return (await import('./commands/agent.ts')).agent;
      },
    },
    catalog: {
      summary: 'Interact with the catalog',
      description: 'Reads the catalog: what runs where.',
      commands: {
        datacenters: {
          summary: 'Lists all known datacenters',
          load: async () => (await import('./commands/catalog-datacenters.ts')).catalogDatacenters,
        },
        nodes: {
          summary: 'Lists all nodes in the given datacenter',
          load: async () => (await import('./commands/catalog-nodes.ts')).catalogNodes,
        },
        services: {
          summary: 'Lists all registered services in a datacenter',
          load: async () => (await import('./commands/catalog-services.ts')).catalogServices,
        },
      },
    },
    config: {
      summary: 'Interact with centralized configurations',
      description: 'Manages configuration entries: settings that apply to the whole datacenter.',
      commands: {
        delete: {
          summary: 'Delete a centralized config entry',
          load: async () => (await import('./commands/config-delete.ts')).configDelete,
        },
        list: {
          summary: 'List centralized config entries of a given kind',
          load: async () => (await import('./commands/config-list.ts')).configList,
        },
        read: {
          summary: 'Read a centralized config entry',
          load: async () => (await import('./commands/config-read.ts')).configRead,
        },
        write: {
          summary: 'Create or update a centralized config entry',
          load: async () => (await import('./commands/config-write.ts')).configWrite,
        },
      },
    },
    connect: {
      summary: 'Interact with the mesh',
      description: 'Runs sidecars and manages the certificate authority of the mesh.',
      commands: {
        ca: {
          summary: 'Interact with the certificate authority',
          description: 'Reads and changes the configuration of the certificate authority.',
          commands: {
            'get-config': {
              summary: 'Display the current CA configuration',
              load: async () => (await import('./commands/connect-ca-get-config.ts')).connectCaGetConfig,
            },
            'set-config': {
              summary: 'Modify the current CA configuration',
              load: async () => (await import('./commands/connect-ca-set-config.ts')).connectCaSetConfig,
            },
          },
        },
        proxy: {
          summary: 'Runs a sidecar for a service',
          load: async () => (await import('./commands/connect-proxy.ts')).connectProxy,
        },
      },
    },
    event: { summary: 'Fire a new event', load: async () => (await import('./commands/event.ts')).event },
    'force-leave': {
      summary: 'Forces a member of the cluster to enter the "left" state',
      load: async () => (await import('./commands/force-leave.ts')).forceLeave,
    },
    info: {
      summary: 'Provides debugging information for operators',
      load: async () => (await import('./commands/info.ts')).info,
    },
    intention: {
      summary: 'Interact with intentions',
      description: 'Manages intentions: the rules that say which service may connect to which.',
      commands: {
        check: {
          summary: 'Check whether a connection between two services is allowed',
          load: async () => (await import('./commands/intention-check.ts')).intentionCheck,
        },
        create: {
          summary: 'Create intentions for service connections',
          load: async () => (await import('./commands/intention-create.ts')).intentionCreate,
        },
        delete: {
          summary: 'Delete an intention',
          load: async () => (await import('./commands/intention-delete.ts')).intentionDelete,
        },
        get: {
          summary: 'Show information about an intention',
          load: async () => (await import('./commands/intention-get.ts')).intentionGet,
        },
        list: {
          summary: 'List intentions',
          load: async () => (await import('./commands/intention-list.ts')).intentionList,
        },
        match: {
          summary: 'Show intentions that match a source or destination',
          load: async () => (await import('./commands/intention-match.ts')).intentionMatch,
        },
      },
    },
    join: { summary: 'Tell an agent to join a cluster', load: async () => (await import('./commands/join.ts')).join },
    keygen: {
      summary: 'Generates a new encryption key',
      load: async () => (await import('./commands/keygen.ts')).keygen,
    },
    keyring: {
      summary: 'Manages gossip layer encryption keys',
      load: async () => (await import('./commands/keyring.ts')).keyring,
    },
    kv: {
      summary: 'Interact with the key-value store',
      description: 'Reads and writes the key-value store.',
      commands: {
        delete: {
          summary: 'Removes data from the KV store',
          load: async () => (await import('./commands/kv-delete.ts')).kvDelete,
        },
        export: {
          summary: 'Exports a tree from the KV store as JSON',
          load: async () => (await import('./commands/kv-export.ts')).kvExport,
        },
        get: {
          summary: 'Retrieves or lists data from the KV store',
          load: async () => (await import('./commands/kv-get.ts')).kvGet,
        },
        import: {
          summary: 'Imports a tree stored as JSON to the KV store',
          load: async () => (await import('./commands/kv-import.ts')).kvImport,
        },
        put: {
          summary: 'Sets or updates data in the KV store',
          load: async () => (await import('./commands/kv-put.ts')).kvPut,
        },
      },
    },
    leave: {
      summary: 'Gracefully leaves the cluster and shuts down',
      load: async () => (await import('./commands/leave.ts')).leave,
    },
    maint: {
      summary: 'Controls node or service maintenance mode',
      load: async () => (await import('./commands/maint.ts')).maint,
    },
    members: {
      summary: 'Lists the members of a cluster',
      load: async () => (await import('./commands/members.ts')).members,
    },
    monitor: {
      summary: 'Stream logs from an agent',
      load: async () => (await import('./commands/monitor.ts')).monitor,
    },
    operator: {
      summary: 'Provides cluster-level tools for operators',
      description: 'Looks after the servers of the cluster.',
      commands: {
        autopilot: {
          summary: 'Provides tools for modifying Autopilot configuration',
          description: 'Autopilot keeps the set of Raft servers healthy.',
          commands: {
            'get-config': {
              summary: 'Display the current Autopilot configuration',
              load: async () =>
                (await import('./commands/operator-autopilot-get-config.ts')).operatorAutopilotGetConfig,
            },
            'set-config': {
              summary: 'Modify the current Autopilot configuration',
              load: async () =>
                (await import('./commands/operator-autopilot-set-config.ts')).operatorAutopilotSetConfig,
            },
            state: {
              summary: 'Display the current Autopilot state',
              load: async () => (await import('./commands/operator-autopilot-state.ts')).operatorAutopilotState,
            },
          },
        },
        raft: {
          summary: 'Provides cluster-level tools for Raft',
          description: 'Reads and repairs the set of Raft servers.',
          commands: {
            'list-peers': {
              summary: 'Display the current Raft peer configuration',
              load: async () => (await import('./commands/operator-raft-list-peers.ts')).operatorRaftListPeers,
            },
            'remove-peer': {
              summary: 'Remove a server from the Raft configuration',
              load: async () => (await import('./commands/operator-raft-remove-peer.ts')).operatorRaftRemovePeer,
            },
            'transfer-leader': {
              summary: 'Transfer leadership to another server',
              load: async () =>
                (await import('./commands/operator-raft-transfer-leader.ts')).operatorRaftTransferLeader,
            },
          },
        },
      },
    },
    reload: {
      summary: 'Triggers the agent to reload configuration files',
      load: async () => (await import('./commands/reload.ts')).reload,
    },
    rtt: {
      summary: 'Estimates network round trip time between nodes',
      load: async () => (await import('./commands/rtt.ts')).rtt,
    },
    services: {
      summary: 'Interact with services',
      description: 'Registers services with an agent and takes them away.',
      commands: {
        deregister: {
          summary: 'Deregister services with the local agent',
          load: async () => (await import('./commands/services-deregister.ts')).servicesDeregister,
        },
        register: {
          summary: 'Register services with the local agent',
          load: async () => (await import('./commands/services-register.ts')).servicesRegister,
        },
      },
    },
    snapshot: {
      summary: 'Saves, restores and inspects snapshots of the state of the servers',
      description: 'Saves, restores and inspects copies of the state of the servers.',
      commands: {
        inspect: {
          summary: 'Displays information about a snapshot file',
          load: async () => (await import('./commands/snapshot-inspect.ts')).snapshotInspect,
        },
        restore: {
          summary: 'Restores snapshot of server state',
          load: async () => (await import('./commands/snapshot-restore.ts')).snapshotRestore,
        },
        save: {
          summary: 'Saves snapshot of server state',
          load: async () => (await import('./commands/snapshot-save.ts')).snapshotSave,
        },
      },
    },
    validate: {
      summary: 'Validate config files/directories',
      load: async () => (await import('./commands/validate.ts')).validate,
    },
    version: { summary: 'Prints the version', load: async () => (await import('./commands/version.ts')).version },
  },
};
