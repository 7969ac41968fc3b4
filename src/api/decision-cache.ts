/**
 * From what the state machine says about a destination to a decision. The row of an entry is built once: the state machine
 * gives the same object until the entry changes, so a row is true exactly as long as its entry is the one given.
 */
import type { DecisionGround } from '../fsm/index.ts';
import { DestinationRow, type Mesh } from '../mesh/index.ts';
import type { IntentionSource, ServiceIntentions } from '../structs/index.ts';

export type Row = DestinationRow<IntentionSource>;

const rows = new WeakMap<ServiceIntentions, Row>();

export function rowOf(entry: ServiceIntentions | null): Row | undefined {
  if (entry === null) return undefined;
  let row = rows.get(entry);
  if (row === undefined) {
    row = new DestinationRow(entry);
    rows.set(entry, row);
  }
  return row;
}

/** What an agent knows of its mesh beside the state. */
export type MeshSettings = Omit<Mesh, 'trustDomain'>;

const meshes = new WeakMap<MeshSettings, Mesh>();

export function meshOf(ground: DecisionGround, settings: MeshSettings): Mesh {
  let mesh = meshes.get(settings);
  if (mesh === undefined || mesh.trustDomain !== ground.trustDomain) {
    mesh = { ...settings, trustDomain: ground.trustDomain };
    meshes.set(settings, mesh);
  }
  return mesh;
}
