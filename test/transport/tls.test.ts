import test from 'ava';
import { tlsTransport } from '../../lib/transport/tls/tls.js';
import type { ByteStream, TransportAddress } from '../../lib/transport/transport.js';
import { noHandler } from '../../lib/transport/transport.js';
import type { TransportBench } from './bench.js';
import { authority, element, impostor, registrar, stranger } from './certificates.js';
import { byteStreamCompliance } from './compliance.js';

/**
 * TLS 1.3 servers send session tickets of their own accord, and the system resets a connection that is closed with
 * something unread in it: what the far side of a destroyed stream sees would depend on the moment.
 */
const maxVersion = 'TLSv1.2';
const bench: TransportBench = {
  near: tlsTransport({ ca: authority, maxVersion }),
  far: tlsTransport({ ...registrar, ca: authority, maxVersion }),
  farHost: '127.0.0.1',
  turn: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
  release: async () => {},
};

byteStreamCompliance('tls', async () => bench);

interface Tried {
  readonly error: Error & { code?: unknown };
  readonly near: ByteStream | undefined;
  /** What the listening side makes of the connection. */
  readonly certified: boolean | undefined;
}

/** Connects as `options` say to a server with `serving`. */
async function tried(
  options: Parameters<typeof tlsTransport>[0],
  serving: Parameters<typeof tlsTransport>[0] = { ...registrar, ca: authority },
  target: Partial<TransportAddress> = {},
): Promise<Tried> {
  let accepted: ((stream: ByteStream) => void) | undefined;
  const atServer = new Promise<ByteStream>((resolve) => {
    accepted = resolve;
  });
  const server = tlsTransport(serving);
  const address = await new Promise<TransportAddress>((resolve, reject) => {
    const listener = server.listen(
      { host: '127.0.0.1', port: 0 },
      {
        onListening: (at) => resolve(Object.assign(at, { close: () => listener.close() })),
        onConnection: (stream) => {
          accepted?.(stream);
          return noHandler;
        },
        onError: reject,
      },
    );
  });
  const result = await new Promise<Tried>((resolve) => {
    tlsTransport(options).connect(
      { ...address, ...target },
      {
        onOpen: (near) => {
          void atServer.then((stream) => {
            resolve({ error: new Error('none'), near, certified: stream.certified });
            near.destroy();
            stream.destroy();
          });
          return noHandler;
        },
        onError: (error) => resolve({ error, near: undefined, certified: undefined }),
      },
    );
  });
  (address as TransportAddress & { close(): void }).close();
  return result;
}

test('who connects is certified with a certificate that is trusted, and let in without', async (t) => {
  t.is((await tried({ ca: authority })).certified, false);
  t.is((await tried({ ca: authority, ...element })).certified, true);
  t.is((await tried({ ca: authority, ...impostor })).certified, false);
  const { near } = await tried({ ca: authority });
  t.is(near?.certified, true);
});

test('a server without the certificate of the name that was meant is not connected to', async (t) => {
  t.is((await tried({ ca: authority }, impostor)).error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  t.is((await tried({ ca: authority }, stranger)).error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  t.is((await tried({ ca: authority, servername: 'other.example' })).error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  t.is((await tried({ ca: authority, servername: 'stranger.example' }, stranger)).error.message, 'none');
  t.is((await tried({ ca: authority }, registrar, { name: 'registrar.example' })).error.message, 'none');
  t.is(
    (await tried({ ca: authority }, registrar, { name: 'other.example' })).error.code,
    'ERR_TLS_CERT_ALTNAME_INVALID',
  );
});

test('a shared key certifies both sides', async (t) => {
  const psk = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
  const common = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;
  const serving = { ...common, pskCallback: (_: unknown, identity: string) => (identity === 'element' ? psk : null) };
  const right = { ...common, pskClientCallback: () => ({ psk, identity: 'element' }) };
  const { certified, near, error } = await tried(right, serving);
  t.is(error.message, 'none');
  t.true(certified);
  t.true(near?.certified);
  const wrong = { ...common, pskClientCallback: () => ({ psk: Buffer.alloc(16), identity: 'element' }) };
  t.is((await tried(wrong, serving)).near, undefined);
});
