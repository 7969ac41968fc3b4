// Merging of sources, flags, the -dev profile, refusals, and that no input whatever escapes as anything but a ConfigError.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  agentFlags,
  ConfigError,
  keys,
  leaves,
  loadConfig,
  needRestart,
  refusals,
} from '../../../src/agent/config/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const base = { data_dir: '/x', bind_addr: '127.0.16.1' };
const problem = (given: object): string => {
  try {
    loadConfig({ given: { ...base, ...given } });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return 'accepted';
};

describe('sources', () => {
  it('joins lists, overlays maps, lets the last scalar win, and reads flags around the files', () => {
    const config = loadConfig({
      files: [
        file(
          'a.json',
          '{"recursors":["127.0.5.101"],"node_meta":{"a":"1","b":"file"},"log_level":"ERR","service":{"name":"m1"}}',
        ),
        file('b.hcl', 'recursors = ["127.0.5.102"]\nnode_meta { c = "hcl" }\nservice { name = "m2" }\n'),
      ],
      flags: new Map<string, string | string[]>([
        ['recursor', ['127.0.5.100']],
        ['node-meta', ['b:flag', 'd']],
        ['log-level', 'INFO'],
        ['bind', '127.0.16.1'],
        ['data-dir', '/x'],
      ]),
      fragments: ['ports { http = 9000 }'],
    });
    expect(config.recursors).toEqual(['127.0.5.100', '127.0.5.101', '127.0.5.102']);
    expect({ ...config.settings.node_meta }).toEqual({ a: '1', b: 'flag', c: 'hcl', d: '' });
    expect(config.settings.log_level).toBe('INFO');
    expect(config.services.map((service) => service.Name)).toEqual(['m1', 'm2']);
    expect(config.http).toEqual([{ kind: 'tcp', address: '127.0.0.1', port: 9000 }]);
  });

  it('listens on this machine only unless somebody says otherwise', () => {
    expect(loadConfig({ given: base }).clientAddresses).toEqual(['127.0.0.1']);
    expect(loadConfig({ dev: true }).bindAddress).toBe('127.0.0.1');
  });

  it('-dev needs nothing and is a server that files may still change', () => {
    const config = loadConfig({ dev: true, given: { node_name: 'n1', log_level: 'WARN' } });
    expect([config.dev, config.server, config.nodeName, config.settings.log_level]).toEqual([true, true, 'n1', 'WARN']);
  });

  it('names a file that is not there', () => {
    expect(() => loadConfig({ dev: true, files: ['nosuch.hcl'] })).toThrow(
      'config: Open failed on nosuch.hcl. open nosuch.hcl: no such file or directory',
    );
  });
});

describe('what cannot be honoured', () => {
  it('refuses what would weaken a wish for security, and nothing else', () => {
    const config = loadConfig({ given: { ...base, acl: { enabled: true }, verify_incoming: true } });
    const refused = refusals(config).map((line) => line.split(':')[0]);
    expect(refused.sort()).toEqual(['acl.enabled', 'verify_incoming']);
    expect(refusals(loadConfig({ given: { ...base, acl: { enabled: false }, retry_join: [] } }))).toEqual([]);
  });
});

describe('a reload', () => {
  const settings = (given: object) => loadConfig({ given: { ...base, ...given } }).settings;
  it('knows what counts from the next start only', () => {
    const before = settings({ log_level: 'INFO', ports: { http: 1 }, services: [{ name: 'a' }] });
    expect(needRestart(before, settings({ log_level: 'ERR', ports: { http: 1 }, node_meta: { a: 'b' } }))).toEqual([]);
    const after = settings({ ports: { http: 2 }, telemetry: { 'disable_compat_1.9': true } });
    expect(needRestart(before, after)).toEqual(['ports.http', 'telemetry.disable_compat_1.9']);
  });
});

describe('the declaration', () => {
  it('gives every flag one key and every key a help text', () => {
    const names = agentFlags().map((flag) => flag.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, key } of leaves(keys)) expect(key.doc.help, path).not.toBe('');
  });
});

describe('definitions in files', () => {
  const service = (given: object) => {
    const config = loadConfig({ given: { ...base, ...given } });
    return { ...config.services[0]!, warnings: config.warnings };
  };

  it('reads the current form of a sidecar', () => {
    const { Connect } = service({
      service: {
        name: 'web',
        port: 80,
        connect: { sidecar_service: { proxy: { upstreams: [{ destination_name: 'db', local_bind_port: 9191 }] } } },
      },
    });
    expect(Connect?.SidecarService?.Proxy?.Upstreams?.[0]).toMatchObject({
      DestinationName: 'db',
      LocalBindPort: 9191,
    });
  });

  const upstreams = [{ destination_name: 'redis', local_bind_port: 1234 }];
  it.each([
    ['beside the name', { service: 'web', connect: { proxy: { config: { upstreams } } } }],
    ['inside of the service', { service: { name: 'web', connect: { proxy: { config: { upstreams } } } } }],
    ['upstreams outside of config', { service: { name: 'web', connect: { proxy: { upstreams } } } }],
  ])('translates the oldest form, %s, into a managed sidecar and says so', (_name, given) => {
    const { Name, Connect, warnings } = service(given);
    expect(Name).toBe('web');
    expect(Connect?.SidecarService?.Proxy).toMatchObject({
      Config: { managed: true },
      Upstreams: [{ DestinationName: 'redis', LocalBindPort: 1234 }],
    });
    expect(warnings).toEqual([expect.stringContaining("'connect.proxy' is the old form")]);
  });

  it('refuses what the oldest form could and this one cannot', () => {
    expect(problem({ service: { name: 'web', connect: { proxy: { exec_mode: 'script' } } } })).toMatch(
      /exec_mode must be "daemon"/,
    );
    expect(problem({ service: { name: 'web', connect: { proxy: {}, sidecar_service: {} } } })).toMatch(/cannot both/);
    expect(problem({ service: { name: 'web', connect: { proxy: { bogus: 1 } } } })).toContain(
      'invalid config key service.connect.sidecar_service.bogus',
    );
  });

  it('gives a weight that is not given 1', () => {
    expect(service({ service: { name: 'x', weights: { passing: 3 } } }).Weights).toEqual({ Passing: 3, Warning: 1 });
    expect(service({ service: { name: 'x' } }).Weights).toEqual({ Passing: 1, Warning: 1 });
  });

  it('collects wrong durations of checks', () => {
    expect(problem({ check: { name: 'c', ttl: '5x' } })).toContain('invalid duration: "5x": time: unknown unit "x"');
  });
});

describe('hostile input', () => {
  const names = leaves(keys).map(({ path }) => path);
  const value = fc.jsonValue({ maxDepth: 4 });
  const nest = (path: string, leaf: unknown): object =>
    path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), leaf) as object;

  it('any value at any key is taken or refused in words', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), value, (path, leaf) => {
        const text = problem(nest(path, leaf) as Record<string, unknown>);
        expect(text).not.toBe('');
      }),
      { numRuns: 600 },
    );
  });

  it('any service definition is taken or refused in words', () => {
    const word = fc.constantFrom(
      'name',
      'port',
      'connect',
      'sidecar_service',
      'proxy',
      'upstreams',
      'checks',
      'check',
      'args',
      'weights',
      'meta',
      'kind',
      'id',
      'ttl',
      'expose',
      'paths',
      '__proto__',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('', 'x', '5s', 'connect-proxy', 1, -1, 70_000, true, null),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(word, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (definition) => {
        expect(problem({ service: definition })).not.toBe('');
        expect(problem({ services: definition })).not.toBe('');
        expect(problem({ checks: definition })).not.toBe('');
      }),
      { numRuns: 400 },
    );
  });
});
