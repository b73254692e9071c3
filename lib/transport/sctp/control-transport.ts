/** Byte streams beside SCTP for one control protocol: where an address says SCTP, its messages go over an association. */

import type { Clock } from '../../clock.js';
import type { ByteStreamTransport } from '../transport.js';
import { SctpControlStream } from './control-stream.js';
import type { SctpAssociation, SctpStack } from './sctp-stack.js';

/**
 * `stack` is asked when SCTP is first needed; undefined: there is none, and an SCTP address fails with EPROTONOSUPPORT as the
 * system would say it. `ppid`: of the protocol (11: ASAP, 12: ENRP). `localPort`: the SCTP port that connections come from.
 */
export function controlTransport(
  stream: ByteStreamTransport,
  stack: () => SctpStack | undefined,
  ppid: number,
  clock: Clock,
  localPort?: number,
): ByteStreamTransport {
  const refuse = (call: string, onError: (error: Error) => void): { cancel(): void } => {
    let wanted = true;
    const facts = { code: 'EPROTONOSUPPORT', syscall: call };
    const error = Object.assign(new Error(`${call} EPROTONOSUPPORT: SCTP is not switched on`), facts);
    clock.defer(() => wanted && onError(error));
    return {
      cancel() {
        wanted = false;
      },
    };
  };
  return {
    connect(target, callbacks) {
      if (target.protocol !== 'sctp') return stream.connect(target, callbacks);
      const sctp = stack();
      if (sctp === undefined) return refuse('connect', (error) => callbacks.onError(error));
      const told = {
        onOpen(association: SctpAssociation) {
          const control = new SctpControlStream(association, ppid);
          control.handler = callbacks.onOpen(control);
          return control;
        },
        onError: (error: Error) => callbacks.onError(error),
      };
      return sctp.connect(target, told, localPort === undefined ? {} : { localPort });
    },
    listen(at, callbacks) {
      if (at.protocol !== 'sctp') return stream.listen(at, callbacks);
      const sctp = stack();
      if (sctp === undefined) {
        const refusal = refuse('listen', (error) => callbacks.onError(error));
        return { close: () => refusal.cancel(), ref() {}, unref() {} };
      }
      const listener = sctp.listen(at.port, {
        onListening: (address) => callbacks.onListening(address),
        onAssociation(association) {
          const control = new SctpControlStream(association, ppid);
          control.handler = callbacks.onConnection(control);
          return control;
        },
        onError: (error) => callbacks.onError(error),
      });
      return {
        close(onClosed) {
          listener.close();
          if (onClosed !== undefined) clock.nextTurn(onClosed);
        },
        ref: () => listener.ref(),
        unref: () => listener.unref(),
      };
    },
  };
}
