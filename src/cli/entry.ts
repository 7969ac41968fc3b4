/** What `bin/heddle` runs. */
import { main } from './main.ts';
import { processIo, signalOfInterrupt } from './process-io.ts';

// A reader that goes away (`heddle kv get … | head -1`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  io: processIo,
  signal: signalOfInterrupt(),
});
