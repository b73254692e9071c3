import { magic } from '../../lib/mapping/tcp/frame.js';
import { FrameReader } from '../../lib/mapping/tcp/reader.js';
import type { ByteStream } from '../../lib/transport/transport.js';
import { elementAddress, elementPort } from './pair.js';
import type { RawFrame } from './raw-peer.js';
import type { ResumeScene } from './resume-scene.js';

/** Somebody who writes bytes by hand to a scene's element, or in its place. */
export class RawResumer {
  readonly #scene: ResumeScene;
  readonly #received: Uint8Array[] = [];
  #stream: ByteStream | undefined;

  constructor(scene: ResumeScene, role: 'user' | 'element' = 'user') {
    this.#scene = scene;
    const handler = {
      onData: (chunk: Uint8Array) => void this.#received.push(chunk),
      onDrain() {},
      onEnd: () => this.#stream?.destroy(),
      onClose() {},
    };
    const open = (stream: ByteStream) => {
      this.#stream = stream;
      return handler;
    };
    const at = { host: elementAddress, port: elementPort };
    if (role === 'user') {
      scene.userProcess.transport.connect(at, { onOpen: open, onError() {} });
      scene.run(5);
    } else {
      scene.listener.close();
      scene.elementProcess.transport.listen(at, { onListening() {}, onConnection: open, onError() {} });
      scene.run(0);
    }
  }

  say(...chunks: Uint8Array[]): void {
    this.#stream?.write(chunks);
    this.#scene.run(5);
  }

  /** The same, for one who plays the element. */
  answer(...chunks: Uint8Array[]): void {
    this.say(...chunks);
  }

  get frames(): readonly RawFrame[] {
    const frames: RawFrame[] = [];
    const reader = new FrameReader(
      1 << 24,
      (type, flags, streamId, bytes, _view, body, length) => {
        frames.push({ type, flags, streamId, body: bytes.slice(body, body + length) });
        return true;
      },
      () => {},
    );
    reader.push(Buffer.concat(this.#received).subarray(magic.length));
    return frames;
  }

  get abort(): { code: number; reason: string } | undefined {
    const body = this.frames.find(({ type }) => type === 7)?.body;
    if (body === undefined) return undefined;
    return { code: Buffer.from(body).readUInt32BE(), reason: Buffer.from(body.subarray(4)).toString() };
  }
}
