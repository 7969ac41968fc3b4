// PostgreSQL where none is installed: PGlite (the server compiled to WebAssembly) behind its socket server speaks the same
// wire protocol on PORT.
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const port = Number(process.env.PORT ?? 9432);
const db = await PGlite.create();
const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 10 });
await server.start();
console.log(`postgresql (PGlite) listens on 127.0.0.1:${port}`);
process.on('SIGTERM', async () => {
  await server.stop();
  await db.close();
  process.exit(0);
});
