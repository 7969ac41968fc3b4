/**
 * Loaded into a server before its own code (`node --import`): at each SIGUSR2 its event loop stands still for as many milliseconds as
 * the file says, as it does in a long synchronous call. Threads and the kernel's buffers go on.
 */
import { readFileSync } from 'node:fs';

const file = new URL(import.meta.url).searchParams.get('file')!;
const never = new Int32Array(new SharedArrayBuffer(4));
process.on('SIGUSR2', () => {
  Atomics.wait(never, 0, 0, Number(readFileSync(file, 'utf8')));
});
