import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Command, CommandFailure } from '../command.ts';
import { fileErrorText } from '../http-client.ts';
import { inspectArchive } from '../snapshot-archive.ts';

export const snapshotSave: Command = {
  usage: '[options] FILE',
  description: `Saves an atomic, point-in-time copy of the state of the servers to a file, and verifies it.

    $ heddle snapshot save backup.snap

With -stale any server may answer, which works without a leader too:

    $ heddle snapshot save -stale backup.snap`,
  groups: ['client', 'server'],
  flags: [],
  async run({ args, client, io, signal }) {
    if (args.length === 0) throw new CommandFailure('Missing FILE argument');
    if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
    const file = args[0]!;
    const unverified = `${file}.unverified.tmp${process.pid}`;
    const response = await client.open('GET', '/v1/snapshot', { signal }).catch((error: Error) => {
      throw new CommandFailure(`Error saving snapshot: ${error.message}`);
    });
    if (response.statusCode !== 200) {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      throw new CommandFailure(
        `Error saving snapshot: Unexpected response code: ${response.statusCode} (${Buffer.concat(chunks).toString().trim()})`,
      );
    }
    try {
      await pipeline(
        response,
        createWriteStream(unverified, { mode: 0o600, flags: 'wx', flush: true } as Parameters<
          typeof createWriteStream
        >[1]),
      );
    } catch (error) {
      await unlink(unverified).catch((gone: NodeJS.ErrnoException) => {
        if (gone.code !== 'ENOENT') io.error(`Could not remove ${unverified}: ${gone.message}`);
      });
      throw new CommandFailure(`Error writing unverified snapshot file: ${fileErrorText(unverified, error)}`);
    }
    let index: number;
    try {
      index = (await inspectArchive(unverified)).meta.Index;
    } catch (error) {
      throw new CommandFailure(`Error verifying snapshot (kept as ${unverified}): ${(error as Error).message}`);
    }
    await rename(unverified, file);
    io.out(`Saved and verified snapshot to index ${index}`);
    return 0;
  },
};
