/** What an agent asks of Node when it is a process of its own. */
export { becomeClient, becomeServer, beginAgent, type ClientEdges } from './small.ts';
