// Shows the count. A plain HTTP service that calls the counting service at the URL it is given; that this URL is a sidecar
// is none of its business. It serves a page, and /service/counting/ on a second port for scripts.
import { createServer, request } from 'node:http';

const port = Number(process.env.PORT ?? 9002);
const gatewayPort = Number(process.env.GATEWAY_PORT ?? 5050);
const countingUrl = process.env.COUNTING_SERVICE_URL ?? 'http://127.0.0.1:5000';

/** The counting service's answer, or the reason why there is none. */
function count() {
  return new Promise((resolve) => {
    const outgoing = request(countingUrl, { timeout: 5000 }, (incoming) => {
      let body = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (text) => {
        body += text;
      });
      incoming.on('end', () => resolve({ ok: incoming.statusCode === 200, body }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')));
    outgoing.on('error', (error) => resolve({ ok: false, body: `${JSON.stringify({ error: error.message })}\n` }));
    outgoing.end();
  });
}

const page = (text) => `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>Dashboard</title>
<body style="font-family: sans-serif; text-align: center; margin-top: 20vh">
<h1>Counting service</h1><p style="font-size: 4em">${text}</p>
`;

createServer(async (_request, response) => {
  const answer = await count();
  const text = answer.ok ? String(JSON.parse(answer.body).count) : 'unreachable';
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(page(text));
}).listen(port, '127.0.0.1', () => console.log(`dashboard listens on http://127.0.0.1:${port}`));

createServer(async (incoming, response) => {
  if (!incoming.url?.startsWith('/service/counting/')) {
    response.writeHead(404).end('not found\n');
    return;
  }
  const answer = await count();
  response.writeHead(answer.ok ? 200 : 503, { 'Content-Type': 'application/json' });
  response.end(answer.body);
}).listen(gatewayPort, () => console.log(`dashboard serves /service/counting/ on http://localhost:${gatewayPort}`));
