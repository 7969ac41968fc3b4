/** Every nemesis by name. */
import { clock } from './clock.ts';
import { flap } from './flap.ts';
import { fullDisk } from './full-disk.ts';
import { kill } from './kill.ts';
import { membership } from './membership.ts';
import type { Nemesis } from './nemesis.ts';
import { oneWay } from './one-way.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { rollingRestart } from './rolling-restart.ts';
import { slowDisk } from './slow-disk.ts';

export const nemeses: Readonly<Record<string, Nemesis>> = Object.fromEntries(
  [partition, oneWay, flap, kill, pause, slowDisk, fullDisk, clock, rollingRestart, membership].map((nemesis) => [
    nemesis.name,
    nemesis,
  ]),
);
