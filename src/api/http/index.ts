/** The HTTP door: routes in, server out. Families of routes live in `routes/`. */
export { type Answer, type BodySink, type BodyStream, Encoded, type Headers, json, nothing, text } from './answer.ts';
export { Door, type DoorLog, type DoorOptions, doorDefaults, type FinishedExchange } from './door.ts';
export { badRequest, HttpError } from './errors.ts';
export { type JsonValue, parseJson } from './go-json.ts';
export type { Consistency, ReadDefaults, ReadParameters } from './read-parameters.ts';
export type { ApiRequest, Method } from './request.ts';
export type { Handler, Route } from './route.ts';
export { agentRoutes } from './routes/agent.ts';
export { type LeafSource, leafRoutes } from './routes/connect-ca.ts';
export { type BodyLimits, bodyLimits } from './routes/context.ts';
export { type EventSettings, eventRoutes } from './routes/event.ts';
export { backendRoutes, type RouteSettings, readDefaults, withoutMesh } from './routes/index.ts';
export { keyringRoutes } from './routes/keyring.ts';
export { type RunningServer, type ServerOptions, serveHttp } from './server.ts';
export { ConnectionLimit } from './write-access.ts';
