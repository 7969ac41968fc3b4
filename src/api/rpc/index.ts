/** The gRPC door (proto/cluster.proto): servers answer here; agents and other servers ask through a Connection. */
export { Connection, type ConnectionOptions } from './connection.ts';
export { RpcDoor, type RpcDoorOptions } from './door.ts';
export { NotCarriedOut } from './failure.ts';
