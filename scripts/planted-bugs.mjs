/**
 * Bugs that the simulation must find: each is a change of the library's text. Every `from` must stand exactly once in
 * its file; when the code changes, so must this list.
 */

const connection = 'lib/mapping/tcp/connection.ts';
const heartbeats = 'lib/mapping/tcp/heartbeats.ts';
const leased = 'lib/mapping/tcp/leased-messages.ts';
const sessions = 'lib/mapping/tcp/resumable-sessions.ts';
const liveness = 'lib/mapping/tcp/liveness.ts';
const asked = 'lib/mapping/tcp/asked-process.ts';
const peers = 'lib/mapping/tcp/peer-processes.ts';
const inbound = 'lib/mapping/tcp/inbound.ts';
const outbound = 'lib/mapping/tcp/outbound.ts';
const writer = 'lib/mapping/tcp/writer.ts';
const candidates = 'lib/session/candidates.ts';
const elementSearch = 'lib/session/element-search.ts';
const elementSession = 'lib/session/element-session.ts';
const cookieSeal = 'lib/session/cookie-seal.ts';
const message = 'lib/session/message.ts';
const queue = 'lib/session/retrieval-queue.ts';
const outbox = 'lib/session/outbox.ts';
const requests = 'lib/session/requests.ts';
const userSession = 'lib/session/user-session.ts';

export const plantedBugs = [
  {
    name: 'hands no requests back when the session has failed',
    edits: [[outbox, 'this.#requests.fail(message, error)', 'this.#requests.abandon(message, error)']],
  },
  {
    name: 'tells the failover callback of requests that were given up',
    edits: [[outbox, 'this.#waiting.filter((message) => !message.answered)', 'this.#waiting.filter(() => true)']],
  },
  {
    name: 'mixes the parts of two elements in one answer',
    edits: [[requests, 'if (request !== undefined) request.parts = noParts;', 'void request;']],
  },
  {
    name: 'acknowledges before the handler has settled',
    edits: [
      [
        message,
        'else handled.then(() => handledBy(message, acknowledge), onFailure);',
        'else handledBy(message, acknowledge);',
      ],
    ],
  },
  {
    name: 'sends everything again twice at a failover',
    edits: [[outbox, 'this.#waiting = [...resend, ...later];', 'this.#waiting = [...resend, ...resend, ...later];']],
  },
  {
    name: 'sends again what was answered',
    edits: [
      [
        outbox,
        "if (message.answered || message.type === 'end' || message.inAnswerTo !== 0) return [];",
        "if (message.type === 'end' || message.inAnswerTo !== 0) return [];",
      ],
      [outbox, 'this.#waiting.filter((message) => !message.answered)', 'this.#waiting.filter(() => true)'],
      [outbox, 'if (!message.answered) room = this.#pass(message);', 'room = this.#pass(message);'],
    ],
  },
  {
    name: 'takes a lost FIN for an orderly end',
    edits: [[connection, "(this.#state === 'open' && this.#isDone)) return", 'detail !== undefined) return']],
  },
  {
    name: 'takes a lost RST for an orderly end',
    edits: [[connection, "(this.#state === 'open' && this.#isDone)) return", 'detail === undefined) return']],
  },
  {
    name: 'chooses an element known to be dead',
    edits: [
      [
        candidates,
        'const excluded = none ? undefined : new Set([...this.#failedUntil.keys(), ...failing]);',
        'const excluded = new Set<number>();',
      ],
    ],
  },
  {
    name: 'waits for a silent registrar although it knows other elements',
    edits: [[elementSearch, 'if (this.#candidates.elements.length > 0)', 'if (this.#asked < 0)']],
  },
  {
    name: 'does not exclude the element that it leaves',
    edits: [[userSession, 'this.#search.exclude(from.identifier, how);', '']],
  },
  {
    name: 'hands on what waited for a thawed element without a lease',
    edits: [
      [leased, 'this.#waiting.length === 0 && this.#leases?.isLeased === true', 'this.#leases?.isLeased !== undefined'],
    ],
  },
  {
    name: 'counts a lease from when the heartbeat came instead of from when its echo was written',
    edits: [
      [heartbeats, 'now - ago + age + view.getUint32(body + 12) / 1000', 'now + view.getUint32(body + 12) / 1000'],
    ],
  },
  {
    name: 'drops what was received in the instant of the failure',
    edits: [
      [
        userSession,
        'onMessage: (incoming) => current() && this.#onMessage(connection, incoming),',
        'onMessage: (incoming) => this.#clock.nextTurn(() => current() && this.#onMessage(connection, incoming)),',
      ],
    ],
  },
  {
    name: 'delivers what comes from an element that was left',
    edits: [
      [
        userSession,
        'onMessage: (incoming) => current() && this.#onMessage(connection, incoming),',
        'onMessage: (incoming) => this.#onMessage(connection, incoming),',
      ],
      [
        connection,
        "this.abort(abortCode.heartbeatTimeout, reason, remoteError('ERR_RSERPOOL_HEARTBEAT_TIMEOUT', reason));",
        "this.handler.onClose(remoteError('ERR_RSERPOOL_HEARTBEAT_TIMEOUT', reason));",
      ],
    ],
  },
  {
    name: 'does not mark what it sends again',
    edits: [[outbox, 'if (left) message.redelivered = true;', '']],
  },
  {
    name: 'marks what never left',
    edits: [[outbox, 'if (left) message.redelivered = true;', 'message.redelivered = true;']],
  },
  {
    name: 'forgets what it holds when the next element fails during the failover callback',
    edits: [[outbox, '[...this.#waiting, ...kept]', '[...kept]']],
  },
  {
    name: 'lets what is sent while the failover callback decides overtake what is held back for it',
    edits: [[outbox, "(first !== undefined && this.#state === 'attached')", "this.#state === 'attached'"]],
  },
  {
    name: 'forgets what is sent while the failover callback decides',
    edits: [[outbox, '[...resend, ...later]', '[...resend]']],
  },
  {
    name: 'lets acknowledgements overtake answers',
    edits: [[outbound, 'if (marker.after > this.#leftThrough) break;', '']],
  },
  {
    name: 'echoes the first cookie instead of the last',
    edits: [[userSession, 'this.#cookie = decoded.message.cookie;', 'this.#cookie ??= decoded.message.cookie;']],
  },
  {
    name: 'takes another message for the answered one after a failover',
    edits: [[queue, 'if (direct?.sequence === sequence) return direct;', 'if (direct !== undefined) return direct;']],
  },
  {
    name: 'does not end its session again at the next element',
    edits: [[outbox, 'if (this.#end !== undefined) this.#pass(this.#end);', '']],
  },
  {
    name: 'blames the element for its own stop',
    edits: [[heartbeats, 'if (this.#liveness.isLate(now, this.#timerDue)) {', 'if (now < 0) {']],
  },
  {
    name: 'watches an element that owes something no closer than an idle one',
    edits: [[liveness, '(this.#waiting || now < this.#busyUntil);', 'now < 0;']],
  },
  {
    name: 'asks each connection for all, and none for itself',
    edits: [[liveness, 'this.#askedAt = Math.min(this.#askedAt, now);', '']],
  },
  {
    name: 'gives all connections up when one does not answer for them',
    edits: [[asked, 'if (now >= this.#nextDoubt) this.#askOthers(now);', '']],
  },
  {
    name: 'never gives up a process that is silent to all',
    // Its connections would otherwise end one by one, each by its own question.
    edits: [
      [asked, 'else if (now >= this.#aliveAt + this.#idleTimeout) {', 'else if (now < 0) {'],
      [asked, 'if (now >= this.#nextDoubt) this.#askOthers(now);', ''],
    ],
  },
  {
    name: 'gives a user up that speaks by another connection',
    edits: [[peers, 'this.#aliveAt = Math.max(this.#aliveAt, at);', 'void at;']],
  },
  {
    name: 'relies on what others know while it waits itself',
    edits: [[liveness, 'return this.#pathTimeout === never &&', 'return this.#process === undefined &&']],
  },
  {
    name: 'takes all elements for one process',
    edits: [
      [
        peers,
        'const way = [identifier, host, port, protocol, ends.localAddress.host];',
        'const way = [host.slice(0, 6)];',
      ],
    ],
  },
  {
    name: 'forgets to give credit back for what was taken',
    edits: [[inbound, 'this.#held -= (message as ArrivedMessage).size + messageOverhead;', '']],
  },
  {
    name: 'grants credit without end',
    edits: [
      [
        inbound,
        'const credit = this.#received + Math.max(0, this.#options.window - this.#held);',
        'const credit = this.#received + this.#options.window;',
      ],
    ],
  },
  {
    name: 'cuts a large message in the wrong places',
    edits: [
      [outbound, 'lane.headSent = from + length;', 'lane.headSent = Math.min(from + length + 1, data.length - 1);'],
    ],
  },
  {
    name: 'acknowledges messages taken out of turn',
    edits: [[inbound, 'while (this.#arrived.at(0)?.taken === true) {', 'while (this.#arrived.length > 0) {']],
  },
  {
    name: 'leaves a timer running after the close',
    edits: [
      [userSession, '    this.#linger.stop();\n    this.#leaving?.cancel();\n', '    this.#leaving?.cancel();\n'],
    ],
  },
  {
    name: 'opens before the cookie echo has come',
    edits: [[elementSession, 'if (peer.cookieFollows) this.#awaitCookie();\n    else this.#begin', 'this.#begin']],
  },
  {
    name: 'writes the magic into a slab that was just replaced',
    edits: [
      [
        writer,
        'const at = this.#reserve(data.length);\n    this.#slab.set(data, at);',
        'this.#slab.set(data, this.#reserve(data.length));',
      ],
    ],
  },
  {
    name: 'goes elsewhere though it could resume',
    edits: [[connection, "if (this.#state === 'open' && this.features.resume &&", 'if (!this.features.rtt &&']],
  },
  {
    name: 'forgets what was under way when a connection broke',
    edits: [
      [
        outbound,
        'const again = left.splice(received - this.#acknowledged);',
        'const again = left.splice(left.length);',
      ],
    ],
  },
  {
    name: 'sends again what had been received when a connection broke',
    edits: [[outbound, 'const again = left.splice(received - this.#acknowledged);', 'const again = left.splice(0);']],
  },
  {
    name: 'puts the halves of a message together that came before and after a connection broke',
    edits: [[inbound, 'this.#open.clear();', '']],
  },
  {
    name: 'counts the credit on when a connection broke',
    edits: [[inbound, 'this.#received = 0;\n    this.#granted = Math', 'this.#granted = Math']],
  },
  {
    name: 'lets messages of one stream overtake each other',
    edits: [[outbound, 'return message.streamId;', 'return message.streamId + 8 * (message.position % 2);']],
  },
  {
    name: 'takes what was acknowledged early for the oldest',
    edits: [[outbound, 'if (message.position !== this.#acknowledgedThrough + 1) {', 'if (message.position < 0) {']],
  },
  {
    name: 'keeps a parked session for ever',
    edits: [
      [
        sessions,
        'this.#clock.setTimeout(expired, resumeTimeout,',
        'this.#clock.setTimeout(expired, 1e9 * resumeTimeout,',
      ],
    ],
  },
  {
    name: 'opens cookies with its own first secret alone',
    edits: [[cookieSeal, 'options.secrets.map(deriveKey)', 'options.secrets.slice(0, 1).map(deriveKey)']],
  },
  {
    name: 'only signs cookies that are to be encrypted',
    edits: [
      [cookieSeal, "if (this.#protection === 'signed') {", 'if (this.#protection.length > 0) {'],
      [cookieSeal, "if (this.#protection === 'encrypted' || bytes.length", 'if (bytes.length'],
    ],
  },
  {
    name: 'seals cookies for another session',
    edits: [[elementSession, 'seal.seal(cookie, this.#sessionId)', 'seal.seal(cookie, this.#sessionId.slice(1))']],
  },
  {
    name: 'takes what a cookie is sealed in for the cookie',
    edits: [[elementSession, 'toCookie(opened.cookie, true)', 'toCookie(echoed, true)']],
  },
  {
    name: 'does not say that a cookie is verified',
    edits: [[elementSession, 'toCookie(opened.cookie, true)', 'toCookie(opened.cookie, false)']],
  },
  {
    name: 'does not follow the business card',
    edits: [[candidates, 'this.#preferred = elements;', 'void elements;']],
  },
  {
    name: 'follows the business card from its end',
    edits: [[candidates, 'this.#preferred = elements;', 'this.#preferred = [...elements].reverse();']],
  },
  {
    name: 'sends its own business card to its first element alone',
    edits: [
      [userSession, "this.#state = 'handingOver';\n      this.sendBusinessCard();", "this.#state = 'handingOver';"],
    ],
  },
  {
    name: 'acknowledges what the application acknowledges itself',
    edits: [[message, "if (acknowledge === 'auto') message.acknowledge();", 'message.acknowledge();']],
  },
  {
    name: 'goes elsewhere when an element has destroyed the session',
    edits: [[userSession, "else if (error.code === 'ERR_RSERPOOL_ABORTED') this.#close(error);", '']],
  },
  {
    name: 'tells the user of a session that is destroyed to go elsewhere',
    edits: [
      [
        elementSession,
        'this.#connection.abort(abortCode.application, reason);',
        'this.#connection.abort(abortCode.handlerFailed, reason);',
      ],
    ],
  },
  {
    name: 'begins a session at an element that is only to stand by',
    edits: [[connection, '(flags & helloFlag.standBy) === 0) begin();', 'flags >= 0) begin();']],
  },
  {
    name: 'hands messages on before the session has begun',
    edits: [[leased, '    this.wake();\n    if (this.#waiting', '    if (this.#waiting']],
  },
];
