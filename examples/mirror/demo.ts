/**
 * The demo: a download that survives the death of its server, again and again.
 *
 *   npm run demo [-- [FILE] [--json] [--paced BYTES_A_SECOND] [--heartbeat MILLISECONDS] [--registrar HOST:PORT]]
 *
 * Three mirrors serve a folder; a client downloads a file from the pool of them in failover mode. At points of progress
 * the mirror that serves is killed (SIGKILL) or frozen (SIGSTOP, and SIGCONT after another has taken over). The exit code is 0 if the file
 * arrived whole every time, nothing was lost or repeated, and there was no failover without a fault.
 */

import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, rmSync, type WriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { OperationalScope } from '../../lib/index.js';
import { Downloader } from './download.js';
import { type Mirror, MirrorPool } from './pool.js';
import { pieceLength } from './protocol.js';
import { Screen } from './screen.js';
import { type Result, type Summary, summarise } from './statistics.js';

type Fault = 'killed' | 'frozen';

/** What befalls the serving mirror, in this order. */
const faults: readonly Fault[] = [
  ...(['killed', 'frozen', 'killed', 'killed', 'frozen'] as const),
  ...(['killed', 'frozen', 'killed', 'killed', 'frozen'] as const),
  ...(['killed', 'frozen', 'killed', 'killed', 'frozen'] as const),
];
const noiseLength = 200 * 1024 * 1024;
/** The run lasts at least this long, unless `--paced` says otherwise: ms. */
const shortestRun = 24_000;
/** Three of them missed are a failure. A machine that lets a process wait for as long needs a longer one: ms. */
const defaultHeartbeat = '50';
/** So long may nothing arrive before the demo gives up: ms. */
const patience = 10_000;

interface Gap {
  readonly fault: Fault;
  readonly ms: number;
}

async function makeNoise(path: string): Promise<void> {
  const file = await open(path, 'w');
  const block = new Uint8Array(1024 * 1024);
  for (let written = 0; written < noiseLength; written += block.length) await file.write(randomFillSync(block));
  await file.close();
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

class Demo {
  readonly #file: string;
  readonly #length: number;
  readonly #paced: number;
  readonly #heartbeat: number;
  readonly #copy: string;
  readonly #pool: MirrorPool;
  readonly #screen: Screen;
  readonly #gaps: Gap[] = [];
  readonly #begun = performance.now();
  /** Aborted with the reason when there is no use in waiting any longer. */
  readonly #failure = new AbortController();
  #fault: { readonly kind: Fault; readonly mirror: Mirror } | undefined;
  #faultsDone = 0;
  #lastBytes = 0;
  #sinceFault = 0;
  #gapOpen: Fault | undefined;
  #failovers = 0;
  #withoutFault = 0;
  #bytes = 0;

  constructor(
    file: string,
    length: number,
    paced: number,
    heartbeat: number,
    folder: string,
    registrar: string | undefined,
    screen: Screen,
  ) {
    this.#file = file;
    this.#length = length;
    this.#paced = paced;
    this.#heartbeat = heartbeat;
    this.#copy = join(folder, 'copy');
    this.#pool = new MirrorPool(dirname(file), paced, registrar);
    this.#screen = screen;
  }

  async run(): Promise<Result> {
    const expected = await sha256(this.#file);
    let downloads = 0;
    let equal = true;
    let downloader: Downloader | undefined;
    let scope: OperationalScope | undefined;
    try {
      await this.#pool.startRegistrar();
      for (let i = 0; i < 3; i++) this.#pool.startMirror();
      scope = new OperationalScope({ registrars: this.#pool.registrar });
      downloader = new Downloader('mirrors', { scope, heartbeatInterval: this.#heartbeat });
      downloader.on('failover', (facts) => this.#onFailover(facts.from.identifier, facts.to.identifier, facts.cause));
      downloader.on('error', (error) => this.#failure.abort(error));
      while (equal && !this.#isOver(downloads)) {
        await this.#fetch(downloader);
        downloads++;
        equal = (await sha256(this.#copy)) === expected;
      }
      const closed = this.#untilEvent(downloader, 'close');
      downloader.end();
      await closed;
      return this.#result(downloader, expected, downloads, equal);
    } finally {
      downloader?.socket.destroy();
      scope?.close();
      await this.stop();
    }
  }

  /** Kills the processes of the pool. */
  async stop(): Promise<void> {
    await this.#pool.stop();
  }

  /** Everything that was to befall the mirrors has, and the time is over. */
  #isOver(downloads: number): boolean {
    if (downloads === 0 || this.#faultsDone < faults.length || this.#fault !== undefined) return false;
    return this.#paced === 0 || performance.now() - this.#begun >= shortestRun;
  }

  async #fetch(downloader: Downloader): Promise<void> {
    const copy = createWriteStream(this.#copy);
    const onBytes = (bytes: Uint8Array): void => this.#onBytes(bytes, copy, downloader);
    downloader.on('bytes', onBytes);
    copy.once('error', (error) => this.#failure.abort(error));
    const begun = performance.now();
    const watch = setInterval(() => this.#checkProgress(begun), 1000);
    try {
      const done = this.#untilEvent(downloader, 'done');
      downloader.fetch(basename(this.#file));
      await done;
    } finally {
      clearInterval(watch);
      downloader.off('bytes', onBytes);
    }
    await new Promise<void>((done) => copy.end(done));
  }

  /** Rejects with the reason of `#failure` once there is one. */
  async #untilEvent(downloader: Downloader, event: 'done' | 'close'): Promise<void> {
    const { signal } = this.#failure;
    try {
      await once(downloader, event, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  /** Gives up when nothing has arrived for too long, though a slow mirror may pause after each piece. */
  #checkProgress(begun: number): void {
    const pause = this.#paced === 0 ? 0 : (pieceLength / this.#paced) * 1000;
    if (performance.now() - Math.max(begun, this.#lastBytes) < patience + pause) return;
    const complaints = this.#pool.complaints.map((complaint) => `\n${complaint}`).join('');
    this.#failure.abort(new Error(`nothing has arrived for ${patience / 1000} s${complaints}`));
  }

  #onBytes(bytes: Uint8Array, copy: WriteStream, downloader: Downloader): void {
    const now = performance.now();
    if (this.#gapOpen !== undefined) {
      const gap: Gap = { fault: this.#gapOpen, ms: now - this.#lastBytes };
      this.#gapOpen = undefined;
      this.#gaps.push(gap);
      this.#screen.event(`   goes on after ${gap.ms.toFixed(0)} ms`);
    }
    this.#lastBytes = now;
    this.#bytes += bytes.length;
    this.#sinceFault += bytes.length;
    copy.write(bytes);
    const serving = downloader.socket.element?.identifier ?? 0;
    this.#screen.progress(serving, downloader.received, this.#length, this.#faultsDone, faults.length);
    this.#perhapsFault(serving);
  }

  /** At points of progress, when others can take over, the mirror that serves is killed or frozen. */
  #perhapsFault(serving: number): void {
    const kind = faults[this.#faultsDone];
    // At full speed four faults a file; else as many as there are, evenly over the run. A short file is read often.
    const due = this.#paced === 0 ? this.#length / 4 : (this.#paced * shortestRun) / 1000 / (faults.length + 2);
    if (kind === undefined || this.#fault !== undefined || this.#sinceFault < Math.min(due, this.#length * 8)) return;
    const mirror: Mirror | undefined = this.#pool.mirror(serving);
    if (mirror === undefined || this.#pool.healthy < 3) return;
    this.#fault = { kind, mirror };
    this.#faultsDone++;
    this.#screen.event(`${String(this.#faultsDone).padStart(2)} mirror ${serving} is ${kind}`);
    if (kind === 'killed') this.#pool.kill(mirror);
    else this.#pool.freeze(mirror);
  }

  #onFailover(from: number, to: number, cause: Error): void {
    this.#failovers++;
    this.#screen.event(`   failover from ${from} to ${to}: ${cause.message}`);
    if (this.#fault?.mirror.identifier !== from) {
      this.#withoutFault++;
      return;
    }
    if (this.#fault.kind === 'frozen') this.#pool.thaw(this.#fault.mirror);
    this.#gapOpen = this.#fault.kind;
    this.#fault = undefined;
    this.#sinceFault = 0;
  }

  #result(downloader: Downloader, hash: string, downloads: number, equal: boolean): Result {
    const of = (fault: Fault): Summary =>
      summarise(this.#gaps.filter((gap) => gap.fault === fault).map((gap) => gap.ms));
    const [killed, frozen] = [of('killed'), of('frozen')];
    const intact = equal && downloader.lost === 0 && downloader.repeated === 0;
    return {
      ok: intact && killed.count >= 6 && frozen.count >= 3 && this.#withoutFault === 0,
      downloads,
      bytes: this.#bytes,
      seconds: Math.round((performance.now() - this.#begun) / 100) / 10,
      sha256: hash,
      equal,
      lost: downloader.lost,
      repeated: downloader.repeated,
      failovers: this.#failovers,
      failoversWithoutFault: this.#withoutFault,
      killed,
      frozen,
      errors: this.#pool.complaints,
    };
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      paced: { type: 'string' },
      heartbeat: { type: 'string', default: defaultHeartbeat },
      registrar: { type: 'string' },
    },
  });
  const screen = new Screen(process.stdout, values.json);
  const folder = await mkdtemp(join(tmpdir(), 'rserpool-demo-'));
  let demo: Demo | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      void demo?.stop();
      rmSync(folder, { recursive: true, force: true });
      // Nobody listens any more, so that this ends the process in the usual way.
      process.kill(process.pid, signal);
    });
  }
  try {
    const given = positionals[0];
    const file = given === undefined ? join(folder, 'noise') : resolve(given);
    if (given === undefined) {
      screen.event(`making ${noiseLength / 1024 / 1024} MB of noise`);
      await makeNoise(file);
    }
    const { size } = await stat(file);
    if (size === 0) throw new Error(`${file} is empty: there is nothing to download`);
    const paced =
      values.paced === undefined
        ? Math.ceil(Math.max(size, 4 * 1024 * 1024) / (shortestRun / 1000))
        : Number(values.paced);
    if (!(paced >= 0)) throw new Error('--paced takes bytes a second, 0 for full speed');
    demo = new Demo(file, size, paced, Number(values.heartbeat), folder, values.registrar, screen);
    const result = await demo.run();
    screen.result(result);
    return result.ok ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(`demo: ${error.message}`);
    process.exitCode = 1;
  },
);
