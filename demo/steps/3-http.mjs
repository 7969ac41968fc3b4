import { note, typed } from '../lib/terminal.mjs';

export const title = 'HTTP through two sidecars';

export async function run(stage) {
  const url = `http://localhost:${stage.ports.gateway}/service/counting/`;
  note('dashboard -> its sidecar -> mutual TLS -> sidecar of counting -> counting');
  typed(`while true; do curl -i ${url}; sleep 0.5; done`);
  const counts = [];
  for (let i = 0; i < 3; i++) {
    const { status, body } = await stage.curl(url);
    counts.push(status === 200 ? JSON.parse(body).count : null);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const rising = counts.every((count, i) => count !== null && (i === 0 || count > counts[i - 1]));
  stage.check('three answers, each with a higher count', rising, counts.join(', '));
  const page = await fetch(`http://127.0.0.1:${stage.ports.dashboard}/`);
  stage.check('the dashboard page shows the count', /<p[^>]*>\d+<\/p>/.test(await page.text()));
}
