import { randomBytes } from 'node:crypto';
import type { Command } from '../command.ts';

export const keygen: Command = {
  usage: '',
  description: 'Prints a new 256-bit key for the encryption of gossip, in base64: the value of -encrypt.',
  groups: [],
  flags: [],
  run({ io }) {
    io.out(randomBytes(32).toString('base64'));
    return Promise.resolve(0);
  },
};
