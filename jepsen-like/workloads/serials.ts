/** Leaves asked of every server: no two certificates share a serial number. */
import { X509Certificate } from 'node:crypto';
import { pause, verdictOf, type Workload } from './workload.ts';

export const serials: Workload = {
  name: 'serials',
  promise: 'no two certificates have the same serial number',
  clients: 3,
  acknowledges: ['leaf'],
  async client(client, index, { run, over }) {
    for (let n = 0; !over(); n++) {
      const service = `${run}-${index}-${n}`;
      await client.operate(
        'leaf',
        'serials',
        service,
        { method: 'GET', path: `/v1/agent/connect/ca/leaf/${service}` },
        ({ body }) => {
          const { CertPEM } = JSON.parse(body) as { CertPEM: string };
          return { outcome: 'ok', output: new X509Certificate(CertPEM).serialNumber };
        },
      );
      await pause(40);
    }
  },
  check(history) {
    const owners = new Map<string, string>();
    const violations: string[] = [];
    for (const { output, input } of history.of('leaf', 'ok')) {
      const before = owners.get(String(output));
      if (before !== undefined)
        violations.push(`serial ${String(output)} was given to ${before} and to ${String(input)}`);
      owners.set(String(output), String(input));
    }
    return verdictOf(violations, `${owners.size} certificates, as many serial numbers`);
  },
};
