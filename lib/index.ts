/** Reliable Server Pooling as a drop-in for node:net: the public surface. */

import { OperationalScope } from './asap/scope.js';
import { RserpoolError } from './errors.js';
import { connect, createConnection, createServer } from './net/connect.js';
import { createLookup, lookup } from './net/lookup.js';
import { nameservice } from './net/nameservice.js';
import { register } from './net/registration.js';
import { Server } from './net/server.js';
import { Socket } from './net/socket.js';
import { createRegistrar, Registrar } from './registrar/registrar.js';

export { type AsapTimers, defaultAsapTimers } from './asap/options.js';
export type { Resolution } from './asap/resolution.js';
export { OperationalScope, type OperationalScopeOptions, type RegistrarAddress } from './asap/scope.js';
export type { Clock, Timer } from './clock.js';
export type { EnrpOptions } from './enrp/options.js';
export { errorCodes, RserpoolError, type RserpoolErrorCode } from './errors.js';
export type { MappingFeatures } from './mapping/mapping.js';
export { connect, createConnection, createServer } from './net/connect.js';
export type { CookieOptions, CookieSecret } from './net/cookies.js';
export type { HealthCheck } from './net/health-watch.js';
export type { PoolListenOptions } from './net/listen-options.js';
export { type CreateLookupOptions, createLookup, type Lookup, lookup } from './net/lookup.js';
export {
  type Nameservice,
  type NameserviceOptions,
  type NextServerOptions,
  nameservice,
  type PoolServer,
  type SelectServer,
} from './net/nameservice.js';
export type { MappingOptions, PolicyOption, PoolConnectOptions } from './net/options.js';
export {
  type RegisterOptions,
  Registration,
  type RegistrationEvents,
  type RegistrationResult,
  type RegistrationState,
  register,
} from './net/registration.js';
export type { RequestOptions } from './net/request.js';
export { Server } from './net/server.js';
export { type ElementInfo, Socket } from './net/socket.js';
export { rankedPolicy } from './policy/least-used.js';
export type { MemberPolicy, MemberSelector, Picker, PickerState, PolicyMember } from './policy/member-policy.js';
export { loadDegradationOf, loadOf, priorityOf, weightOf } from './policy/policy-values.js';
export { PolicyRegistry } from './policy/registry.js';
export { weightedPolicy } from './policy/weighted-random.js';
export type { Random } from './random.js';
export type { RegistrarOptions } from './registrar/options.js';
export { createRegistrar, Registrar } from './registrar/registrar.js';
export type { BusinessCard } from './session/business-card.js';
export type { Cookie } from './session/cookie.js';
export type { CookieProtection } from './session/cookie-seal.js';
export type { Handled, Message, RetainedMessage, SendOptions } from './session/message.js';
export type { FailoverCallback, FailoverFacts, FailoverSend, Retrieved } from './session/session.js';
export type { MemberSelectionPolicy, PoolElement } from './wire/parameters.js';

const rserpool: {
  connect: typeof connect;
  createConnection: typeof createConnection;
  createServer: typeof createServer;
  createRegistrar: typeof createRegistrar;
  nameservice: typeof nameservice;
  register: typeof register;
  lookup: typeof lookup;
  createLookup: typeof createLookup;
  Socket: typeof Socket;
  Server: typeof Server;
  Registrar: typeof Registrar;
  OperationalScope: typeof OperationalScope;
  RserpoolError: typeof RserpoolError;
} = {
  connect,
  createConnection,
  createServer,
  createRegistrar,
  nameservice,
  register,
  lookup,
  createLookup,
  Socket,
  Server,
  Registrar,
  OperationalScope,
  RserpoolError,
};

export default rserpool;
