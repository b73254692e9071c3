/** Reliable Server Pooling as a drop-in for node:net: the public surface. */

import net from 'node:net';
import { OperationalScope } from './asap/scope.js';
import { RserpoolError } from './errors.js';
import { Agent, HttpsAgent } from './net/agent.js';
import { Server, Socket } from './net/callable-classes.js';
import { connect, createConnection, createServer } from './net/connect.js';
import { connector } from './net/connector.js';
import { createLookup, lookup } from './net/lookup.js';
import { nameservice } from './net/nameservice.js';
import { Pool, pool } from './net/pool.js';
import { register } from './net/registration.js';
import { createRegistrar, Registrar } from './registrar/registrar.js';

export * from 'node:net';
export { type AsapTimers, defaultAsapTimers } from './asap/options.js';
export type { Resolution } from './asap/resolution.js';
export { type Hint, OperationalScope, type OperationalScopeOptions, type RegistrarAddress } from './asap/scope.js';
export type { Clock, Timer } from './clock.js';
export type { EnrpOptions } from './enrp/options.js';
export { errorCodes, RserpoolError, type RserpoolErrorCode, type UndeliveredMessage } from './errors.js';
export { Gateway, type GatewayEvents, type GatewayOptions } from './gateway/gateway.js';
export type { MappingFeatures } from './mapping/mapping.js';
export { Agent, type AgentOptions, HttpsAgent, type HttpsAgentOptions } from './net/agent.js';
export type { PoolAgentOptions } from './net/agent-pools.js';
export { Server, Socket } from './net/callable-classes.js';
export { connect, createConnection, createServer } from './net/connect.js';
export { type Connector, type ConnectorOptions, connector } from './net/connector.js';
export type { CookieOptions, CookieSecret } from './net/cookies.js';
export type { LoadOptions, LoadSource } from './net/element-load.js';
export type { HealthCheck } from './net/health-watch.js';
export type { PoolListenOptions, ServerOptions } from './net/listen-options.js';
export { type CreateLookupOptions, createLookup, type Lookup, lookup } from './net/lookup.js';
export {
  type Nameservice,
  type NameserviceOptions,
  type NextServerOptions,
  nameservice,
} from './net/nameservice.js';
export type { MappingOptions, PolicyOption, PoolConnectOptions } from './net/options.js';
export { Pool, pool } from './net/pool.js';
export type { Destination, PoolOptions, PoolRequestOptions, PoolSendOptions } from './net/pool-options.js';
export {
  type RegisterOptions,
  Registration,
  type RegistrationEvents,
  type RegistrationResult,
  type RegistrationState,
  register,
} from './net/registration.js';
export type { RequestOptions } from './net/request.js';
export type { PoolServer, SelectServer } from './net/select-server.js';
export type { ElementInfo, SocketOptions } from './net/socket.js';
export { rankedPolicy } from './policy/least-used.js';
export type { MemberPolicy, MemberSelector, Picker, PickerState, PolicyMember } from './policy/member-policy.js';
export { loadDegradationOf, loadOf, priorityOf, weightOf, withLoad } from './policy/policy-values.js';
export type { Ranking } from './policy/ranked-selector.js';
export { PolicyRegistry } from './policy/registry.js';
export { weightedPolicy } from './policy/weighted-random.js';
export type { Random } from './random.js';
export type { RegistrarOptions } from './registrar/options.js';
export { createRegistrar, Registrar } from './registrar/registrar.js';
export type { OwnerStatus, PoolStatus, RegistrarStats, RegistrarStatus } from './registrar/status.js';
export type { BusinessCard } from './session/business-card.js';
export type { Cookie } from './session/cookie.js';
export type { CookieProtection } from './session/cookie-seal.js';
export type { Handled, Message, RetainedMessage, SendOptions } from './session/message.js';
export type { FailoverCallback, FailoverFacts, FailoverSend, Retrieved } from './session/session.js';
export type { MemberSelectionPolicy, PoolElement } from './wire/parameters.js';

const ours: {
  connect: typeof connect;
  createConnection: typeof createConnection;
  createServer: typeof createServer;
  createRegistrar: typeof createRegistrar;
  nameservice: typeof nameservice;
  pool: typeof pool;
  register: typeof register;
  lookup: typeof lookup;
  createLookup: typeof createLookup;
  Pool: typeof Pool;
  Socket: typeof Socket;
  Server: typeof Server;
  Agent: typeof Agent;
  HttpsAgent: typeof HttpsAgent;
  connector: typeof connector;
  Registrar: typeof Registrar;
  OperationalScope: typeof OperationalScope;
  RserpoolError: typeof RserpoolError;
} = {
  connect,
  createConnection,
  createServer,
  createRegistrar,
  nameservice,
  pool,
  register,
  lookup,
  createLookup,
  Pool,
  Socket,
  Server,
  Agent,
  HttpsAgent,
  connector,
  Registrar,
  OperationalScope,
  RserpoolError,
};

/** Everything that net has, and ours in front of it. */
const rserpool: Omit<typeof net, keyof typeof ours> & typeof ours = { ...net, ...ours };

export default rserpool;
