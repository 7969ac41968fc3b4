/** The wall clock of a server process, moved by libfaketime; its monotonic clock stays true. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const places = ['/usr/lib/x86_64-linux-gnu/faketime', '/usr/lib/aarch64-linux-gnu/faketime', '/usr/lib/faketime'];

export function faketimeLibrary(): string | undefined {
  return places.map((folder) => join(folder, 'libfaketimeMT.so.1')).find(existsSync);
}

export const faketimeFile = (folder: string, server: number): string => join(folder, `s${server}.clock`);

/** The command of a server under a clock that follows `faketimeFile`. */
export function underFaketime(folder: string, server: number, command: readonly string[]): readonly string[] {
  const file = faketimeFile(folder, server);
  if (!existsSync(file)) writeFileSync(file, '+0s\n');
  return [
    'env',
    `LD_PRELOAD=${faketimeLibrary()}`,
    `FAKETIME_TIMESTAMP_FILE=${file}`,
    'FAKETIME_NO_CACHE=1',
    'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ...command,
  ];
}
