/** Takes an instance (with its checks), a check, or a whole node out of the catalog. What is not there counts as gone. */
import type { DeregisterRequest } from '../../structs/index.ts';
import { command } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { removeCheck } from './catalog-checks.ts';
import { removeNode } from './catalog-nodes.ts';
import { removeService } from './catalog-services.ts';

export const catalogDeregister = command<DeregisterRequest, boolean>({
  name: 'catalog.deregister',
  version: 1,
  prepare(args) {
    if (args.Node === '') throw new Refusal('failed', 'Must provide node');
    return args;
  },
  apply(tx, { Node, ServiceID, CheckID }) {
    if (ServiceID !== '') removeService(tx, Node, ServiceID);
    else if (CheckID !== '') removeCheck(tx, Node, CheckID);
    else removeNode(tx, Node);
    return true;
  },
});
