/** Every nemesis by name. */
import { blackHole, delay, loss, resets } from './bad-network.ts';
import { block } from './block.ts';
import { clock } from './clock.ts';
import { fewFiles } from './few-files.ts';
import { flap } from './flap.ts';
import { fsyncError } from './fsync-error.ts';
import { fullDisk } from './full-disk.ts';
import { hostKill, hostPartition, hostPause, hostStranded } from './host.ts';
import { kill } from './kill.ts';
import { membership } from './membership.ts';
import type { Nemesis } from './nemesis.ts';
import { oneWay } from './one-way.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { reload } from './reload.ts';
import { rollingMembership } from './rolling-membership.ts';
import { rollingRestart } from './rolling-restart.ts';
import { slowDisk } from './slow-disk.ts';
import { starve } from './starve.ts';

export const nemeses: Readonly<Record<string, Nemesis>> = Object.fromEntries(
  [
    ...[partition, oneWay, flap, delay, loss, resets, blackHole],
    ...[kill, pause, block, starve, fewFiles],
    ...[clock, slowDisk, fsyncError, fullDisk],
    ...[rollingRestart, reload, membership, rollingMembership],
    ...[hostPartition, hostStranded, hostKill, hostPause],
  ].map((nemesis) => [nemesis.name, nemesis]),
);
