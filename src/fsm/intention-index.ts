/**
 * The counter of one destination's intentions: the index of their last change, absent when there are none. It is what a
 * decision reads, so that a kept index is used exactly as long as it is true.
 */
import { foldDestination } from '../structs/intention-source.ts';

export function intentionCounter(destination: string): string {
  return `intentions.${foldDestination(destination)}`;
}
