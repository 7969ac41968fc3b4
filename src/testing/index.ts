/**
 * Heddle for other people's tests.
 *
 *     import { Cluster } from 'heddle/testing';
 *     const cluster = await Cluster.start(3);
 *     cluster.partition([0], [1, 2]);
 *     await cluster.close();
 */
export { Cluster, type ClusterOptions } from './cluster.ts';
