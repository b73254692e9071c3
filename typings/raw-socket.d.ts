/** The parts of the optional npm package `raw-socket` that lib/transport/sctp/raw-ip.ts uses; it brings no types. */

declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events';

  /** A raw IP socket. Its events: 'message' (bytes, source), 'error', 'close'. */
  interface Socket extends EventEmitter {
    send(
      bytes: Buffer,
      offset: number,
      length: number,
      address: string,
      sent: (error: Error | null, bytes: number) => void,
    ): this;
    close(): this;
  }

  const rawSocket: {
    /** Throws without the right to open raw sockets. */
    createSocket(options: { protocol: number; addressFamily: number; bufferSize: number }): Socket;
    readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
  };
  export default rawSocket;
}
