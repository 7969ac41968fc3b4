/**
 * How many files and sockets this process has open, of those that the system allows it. When there are no more, the runtime closes new
 * connections without a word to anybody: only who counts can tell the operator why.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { Clock } from '../std/clock.ts';
import type { LogFields } from './log.ts';

export interface OpenFiles {
  readonly open: number;
  readonly most: number;
}

export interface OpenFilesParts {
  readonly clock: Clock;
  /** Undefined where the system does not say. */
  readonly look: () => Promise<OpenFiles | 'exhausted' | undefined>;
  readonly log: {
    warn(message: string, fields?: LogFields): void;
    info(message: string, fields?: LogFields): void;
  };
}

const lookMs = 5_000;
/** It is told when this much is used up, and told to be over below the other: not at each connection that comes and goes. */
const scarceShare = 0.9;
const plentyShare = 0.8;

/** Returns how to stop. */
export function watchOpenFiles({ clock, look, log }: OpenFilesParts): () => void {
  let scarce = false;
  let stopped = false;
  let cancel = (): void => undefined;
  const plan = (): void => {
    cancel = clock.after(lookMs, () => void check());
  };
  const check = async (): Promise<void> => {
    const found = await look();
    if (stopped || found === undefined) return;
    const share = found === 'exhausted' ? 1 : found.open / found.most;
    const fields = found === 'exhausted' ? {} : { open: found.open, most: found.most };
    if (!scarce && share >= scarceShare)
      log.warn(
        'the file descriptors of this process are used up or nearly: new connections and files are refused',
        fields,
      );
    if (scarce && share < plentyShare) log.info('there are file descriptors again', fields);
    scarce = share >= (scarce ? plentyShare : scarceShare);
    plan();
  };
  plan();
  return () => {
    stopped = true;
    cancel();
  };
}

/** By Linux's proc; looking takes a descriptor itself. */
export async function openFilesHere(): Promise<OpenFiles | 'exhausted' | undefined> {
  try {
    const [names, limits] = await Promise.all([readdir('/proc/self/fd'), readFile('/proc/self/limits', 'utf8')]);
    const most = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return most === undefined ? undefined : { open: names.length, most: Number(most) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE' ? 'exhausted' : undefined;
  }
}
