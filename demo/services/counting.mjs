// Counts. A plain HTTP service that knows nothing of any mesh: GET / answers {"count": n}.
import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 9003);
let count = 0;

createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  if (request.url === '/health') {
    response.end('{"healthy":true}\n');
    return;
  }
  count += 1;
  response.end(`${JSON.stringify({ count, hostname: process.env.NAME ?? 'counting' })}\n`);
}).listen(port, '127.0.0.1', () => console.log(`counting listens on http://127.0.0.1:${port}`));
