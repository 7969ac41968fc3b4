/** The command of a server whose event loop can be made to stand still from outside (loop-blocker.ts). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/package-root.ts';

const fileOf = (folder: string, server: number): string => join(folder, `s${server}.block`);

/** `command` begins with node. */
export function withBlocker(folder: string, server: number, [node, ...words]: readonly string[]): readonly string[] {
  const blocker = pathToFileURL(join(packageRoot, 'dist/jepsen-like/real/loop-blocker.js'));
  blocker.searchParams.set('file', fileOf(folder, server));
  return [node!, '--import', blocker.href, ...words];
}

/** How long each SIGUSR2 from now on blocks. */
export function setBlock(folder: string, server: number, ms: number): void {
  writeFileSync(fileOf(folder, server), String(ms));
}
