/**
 * Heddle for other people's tests: real servers on loopback, or simulated ones under virtual time.
 *
 *     import { Cluster } from 'heddle/testing';
 *     const cluster = await Cluster.start(3);
 *     const world = await Cluster.simulate(3, { seed: 7 });
 */
export { Cluster, type ClusterOptions } from './cluster.ts';
export type {
  At,
  Disturbance,
  ReadAt,
  SimulatedCluster,
  SimulatedEntry,
  SimulationOptions,
} from './simulated-cluster.ts';
