/** The conditions that service reads share: tags, node metadata, health. */
import type { CheckServiceNode, Node } from '../../structs/index.ts';

export interface Selection {
  /** All of them must be there, ignoring case; an empty one asks for a literally empty tag. */
  readonly tags?: readonly string[];
  /** All pairs must be in the node's metadata. */
  readonly nodeMeta?: Readonly<Record<string, string>>;
  /** Only instances all of whose checks pass. */
  readonly passing?: boolean;
}

/** Whether a selection keeps everything: then the list is answered as it is, and its encoded form may be reused. */
function selectsAll({ tags, nodeMeta, passing }: Selection): boolean {
  return (tags ?? []).length === 0 && hasNoPairs(nodeMeta) && passing !== true;
}

export function select(instances: readonly CheckServiceNode[], selection: Selection): readonly CheckServiceNode[] {
  if (selectsAll(selection)) return instances;
  const kept = instances.filter(
    ({ Node, Service }) => hasTags(Service.Tags, selection.tags ?? []) && hasMeta(Node, selection.nodeMeta),
  );
  return selection.passing === true ? passingOnly(kept) : kept;
}

/** Existing tools see this order: the place of an instance that is dropped is taken by the last one. */
function passingOnly(instances: readonly CheckServiceNode[]): readonly CheckServiceNode[] {
  const kept = [...instances];
  let length = kept.length;
  for (let i = 0; i < length; i++) {
    if (kept[i]!.Checks?.every((check) => check.Status === 'passing') ?? true) continue;
    length--;
    kept[i] = kept[length]!;
    i--;
  }
  return kept.slice(0, length);
}

function hasTags(present: readonly string[] | null, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const lower = new Set((present ?? []).map((tag) => tag.toLowerCase()));
  return wanted.every((tag) => lower.has(tag.toLowerCase()));
}

export function hasMeta(node: Node, wanted: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(
    ([key, value]) => Object.hasOwn(node.Meta ?? {}, key) && node.Meta![key] === value,
  );
}

export function hasNoPairs(map: Readonly<Record<string, string>> | undefined): boolean {
  return map === undefined || Object.keys(map).length === 0;
}
