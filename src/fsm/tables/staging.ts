/**
 * Where a state that is being restored is collected. Its rows lie under a generation of their own, which no reader looks
 * at; taking over is one row about the state. What an old or an abandoned generation held is swept in small steps while
 * the server goes on, on each server by itself: it is no part of the replicated state any more.
 */
import { assert } from '../../std/assert.ts';
import type { StagingArea } from '../contract.ts';
import { definitionOf, secondaryKeyOf, tableNames } from './definitions.ts';
import { decodeRow } from './row-codec.ts';
import type { RowKey } from './row-key.ts';
import type { StateRows } from './state-rows.ts';
import type { Storage } from './storage.ts';

const firstLetter = 'A'.charCodeAt(0);
const letters = 26;

export class Staging implements StagingArea {
  readonly #rows: StateRows;
  readonly #raftIndex: number;

  constructor(rows: StateRows, raftIndex: number) {
    this.#rows = rows;
    this.#raftIndex = raftIndex;
  }

  begin(id: string): void {
    const { meta, storage } = this.#rows;
    const generation = nextLetter(meta.staging?.generation ?? meta.generation, meta.generation);
    // Swept long ago, unless restores follow each other faster than the sweep.
    for (const { key } of [...storage.range(generation)]) storage.remove(key);
    this.#rows.setMeta({ ...meta, staging: { id, generation, count: 0 } });
  }

  add(id: string, rows: readonly (readonly [key: string, value: Uint8Array])[]): boolean {
    const { meta, storage } = this.#rows;
    if (meta.staging?.id !== id) return false;
    for (const [key, value] of rows) {
      storage.put(meta.staging.generation + key, value);
      for (const place of secondaryPlaces(key as RowKey, value)) {
        storage.put(meta.staging.generation + place, Buffer.from(key, 'utf8'));
      }
    }
    this.#rows.setMeta({ ...meta, staging: { ...meta.staging, count: meta.staging.count + rows.length } });
    return true;
  }

  count(id: string): number | undefined {
    const { staging } = this.#rows.meta;
    return staging?.id === id ? staging.count : undefined;
  }

  takeOver(id: string, stateIndex: number): void {
    const { meta } = this.#rows;
    assert(meta.staging?.id === id, 'only what was collected can take over');
    this.#rows.setMeta({
      ...meta,
      generation: meta.staging.generation,
      staging: null,
      indexOffset: Math.max(meta.indexOffset, stateIndex + 1 - this.#raftIndex),
    });
  }
}

/** Where a row stands in the secondary orders of its table. */
function secondaryPlaces(key: RowKey, value: Uint8Array): readonly RowKey[] {
  const name = tableNames.find((candidate) => definitionOf(candidate).letter === key[0]);
  if (name === undefined) return [];
  const { secondary } = definitionOf(name);
  if (secondary.length === 0) return [];
  const row = decodeRow<unknown>(value);
  return secondary.flatMap((order) => {
    const place = order.keyOf(row);
    return place === undefined ? [] : [secondaryKeyOf(order, place)];
  });
}

function nextLetter(after: string, never: string): string {
  const next = String.fromCharCode(firstLetter + ((after.charCodeAt(0) - firstLetter + 1) % letters));
  return next === never ? nextLetter(next, never) : next;
}

/** Removes up to `rowsMax` rows that belong to no living generation. False when there are none left. */
export function sweep(rows: StateRows, storage: Storage, rowsMax: number): boolean {
  const { generation, staging } = rows.meta;
  for (let i = 0; i < letters; i++) {
    const letter = String.fromCharCode(firstLetter + i);
    if (letter === generation || letter === staging?.generation) continue;
    const dead = [...storage.range(letter, { limit: rowsMax })];
    if (dead.length === 0) continue;
    storage.transact(() => {
      for (const { key } of dead) storage.remove(key);
    });
    return true;
  }
  return false;
}
