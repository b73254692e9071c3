/** What those who watch are told of users' sessions (docs/api.md, "What goes on inside"). */

import { type DiagnosticEvent, diagnosticEvent } from '../diagnostics.js';
import type { FailoverFacts } from './session.js';

/** The first element was reached. */
export const opened: DiagnosticEvent<{ poolHandle: string; element: number }> = diagnosticEvent('session', 'opened');
/** The session goes on at the same element, over a new connection. */
export const resumed: DiagnosticEvent<{ poolHandle: string; element: number }> = diagnosticEvent('session', 'resumed');
/** The element failed or is left: `cause` says why. */
export const left: DiagnosticEvent<{ poolHandle: string; element: number; cause: Error }> = diagnosticEvent(
  'session',
  'element-left',
);
/** The session goes on at another element. */
export const failedOver: DiagnosticEvent<FailoverFacts & { readonly poolHandle: string }> = diagnosticEvent(
  'session',
  'failed-over',
);
/** The session is over; without `error`: all was acknowledged. */
export const ended: DiagnosticEvent<{ poolHandle: string; error: Error | undefined }> = diagnosticEvent(
  'session',
  'ended',
);
