/** Everything public, by name. */

export { type AsapTimers, defaultAsapTimers } from './asap/options.js';
export type { Resolution } from './asap/resolution.js';
export { OperationalScope, type OperationalScopeOptions, type RegistrarAddress } from './asap/scope.js';
export type { Clock, Timer } from './clock.js';
export { errorCodes, RserpoolError, type RserpoolErrorCode } from './errors.js';
export type { MappingFeatures } from './mapping/mapping.js';
export { connect, createConnection, createServer } from './net/connect.js';
export type { PolicyOption, PoolConnectOptions } from './net/options.js';
export { type PoolListenOptions, Server } from './net/server.js';
export { type ElementInfo, Socket } from './net/socket.js';
export type { Random } from './random.js';
export type { RegistrarOptions } from './registrar/options.js';
export { createRegistrar, Registrar } from './registrar/registrar.js';
export type { Handled, Message, SendOptions } from './session/message.js';
export type { FailoverCallback, FailoverFacts, Retrieved } from './session/session.js';
export type { MemberSelectionPolicy, PoolElement } from './wire/parameters.js';
