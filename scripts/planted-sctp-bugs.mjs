/**
 * The repairs of the SCTP package (docs/sctp.md, in its order) taken away one by one: each is a change of the library's text, and the
 * test of test/transport/sctp that must fail without it. Every `from` must stand exactly once in its file.
 */

const stack = 'lib/transport/sctp/package/package-stack.ts';
const association = 'lib/transport/sctp/package/package-association.ts';
const pathWatch = 'lib/transport/sctp/package/path-watch.ts';
const sender = 'lib/transport/sctp/transfer/data-sender.ts';
const receiver = 'lib/transport/sctp/transfer/data-receiver.ts';
const transfer = 'lib/transport/sctp/transfer/data-transfer.ts';
const order = 'lib/transport/sctp/transfer/stream-order.ts';
const tsn = 'lib/transport/sctp/guard/tsn.ts';

const repairs = 'repairs.test.ts';
const promises = 'stack.test.ts';
const fast = 'a peer whose process is gone and whose port is served again says so at once';

export const plantedSctpBugs = [
  {
    name: 'lets every packet through to the package',
    edits: [[stack, "if (verdict.type !== 'pass') {", "if (verdict.type !== 'pass' && this.#ports.size < 0) {"]],
    file: 'stack-mutation.test.ts',
    title: '10,000 mutated packets, blind and with the right tags, neither crash nor hang a stack',
  },
  {
    name: 'lets an exception of the package out',
    edits: [[stack, 'failed.publish({ from, error });', 'throw error;']],
    file: repairs,
    title: 'what the package throws costs one association and no more',
  },
  {
    name: 'takes every peer for the first one',
    edits: [[stack, 'const found = this.#byTag.get(tag);', 'const found = [...this.#byTag.values()][0];']],
    file: promises,
    title: '300 connects all come up with 5 % loss and 20 ms of delay',
  },
  {
    name: 'answers a peer where it was first heard',
    edits: [[stack, '{ ...remoteAddress, encapsulationPort: from.port };', '{ ...remoteAddress };']],
    file: repairs,
    title: 'answers follow a peer whose UDP port changes',
  },
  {
    name: 'has few slots for messages that wait',
    edits: [[sender, 'this.#queue.push({', 'if (this.#queue.length - this.#queueHead < 8) this.#queue.push({']],
    file: repairs,
    title: 'messages on several streams at once are all sent',
  },
  {
    name: 'counts as under way what was given up as lost',
    edits: [[sender, '    this.#flight = 0;\n', '']],
    file: promises,
    title: 'an orderly close delivers all that was sent, on either side, whatever is lost',
  },
  {
    name: 'waits for the timer at every loss',
    edits: [[sender, 'if (++chunk.missing < missingReports) continue;', 'if (++chunk.missing < 1e9) continue;']],
    file: repairs,
    title: 'a packet lost in the middle is sent again long before the timer would',
  },
  {
    name: 'knows no congestion window',
    edits: [[sender, 'return this.#flight < this.#congestion.window && ', 'return ']],
    file: repairs,
    title: 'what is under way grows from little, and a loss cuts it',
  },
  {
    name: 'is as fast after a loss as before',
    edits: [[sender, '      this.#congestion.lost();\n', '']],
    file: repairs,
    title: 'what is under way grows from little, and a loss cuts it',
  },
  {
    name: 'sends a whole window in one burst',
    edits: [[sender, 'const maxBurst = 16;', 'const maxBurst = 1e9;']],
    file: repairs,
    title: 'however large the window, a tick sends 16 packets',
  },
  {
    name: 'begins a stream with what comes first',
    edits: [[order, '{ next: 0, waiting', '{ next: ssn, waiting']],
    file: repairs,
    title: 'the first packet of a stream may be lost',
  },
  {
    name: 'numbers unordered messages',
    edits: [[sender, 'if (from === 0 && !message.unordered) {', 'if (from === 0) {']],
    file: promises,
    title: 'an unordered message overtakes what is lost, and those after it stay in order',
  },
  {
    name: 'does not wrap TSNs',
    edits: [[tsn, 'return (tsn + by) >>> 0;', 'return tsn + by;']],
    file: repairs,
    title: 'TSNs and stream sequence numbers wrap',
  },
  {
    name: 'does not wrap the Stream Sequence Numbers that it waits for',
    edits: [[order, 'stream.next = (stream.next + 1) & 0xffff;\n    for', 'stream.next++;\n    for']],
    file: repairs,
    title: 'TSNs and stream sequence numbers wrap',
  },
  {
    name: 'puts no message together that is larger than the window',
    edits: [[receiver, 'const most = this.#options.longestMessage;', 'const most = this.#options.window;']],
    file: repairs,
    title: 'a message larger than the receive window arrives',
  },
  {
    name: 'cannot be paused',
    edits: [[receiver, 'this.#paused = true;', 'this.#paused = false;']],
    file: promises,
    title: 'what a paused side does not take holds its peer back, and nothing is lost',
  },
  {
    name: 'does not tell that there is room again',
    edits: [[transfer, 'if (this.receiver.resume()) this.#sackNow();', 'this.receiver.resume();']],
    file: promises,
    title: 'what a paused side does not take holds its peer back, and nothing is lost',
  },
  {
    name: 'sends 1 ms late',
    edits: [[transfer, 'this.#clock.defer(() => this.#flush());', 'this.#clock.setTimeout(() => this.#flush(), 1);']],
    file: repairs,
    title: 'messages leave at the end of their tick, together',
  },
  {
    name: 'sends each chunk in a packet of its own',
    edits: [
      [sender, 'this.#write(this.#cut(message, size)));', 'this.#write(this.#cut(message, size)));\n      return;'],
    ],
    file: repairs,
    title: 'messages leave at the end of their tick, together',
  },
  {
    name: 'sends INIT once',
    edits: [
      [
        association,
        'this.#retry.start(options.initTimeout, options.rto.max, options.maxRetransmissions, init, () => {});',
        '',
      ],
    ],
    file: repairs,
    title: 'an association comes up although INIT is lost twice',
  },
  {
    name: 'connects for ever',
    edits: [
      [
        association,
        "this.#close(new RserpoolError('ERR_RSERPOOL_CONNECT_TIMEOUT'",
        "void (new RserpoolError('ERR_RSERPOOL_CONNECT_TIMEOUT'",
      ],
    ],
    file: promises,
    title: 'a refusal is ECONNREFUSED at once, silence a time-out, a cancelled attempt nothing',
  },
  {
    name: 'sends COOKIE ECHO once',
    edits: [
      [
        association,
        'this.#retry.start(stack.initTimeout, stack.rto.max, stack.maxRetransmissions, again, () => {});',
        'this.#retry.stop();',
      ],
    ],
    file: repairs,
    title: 'an association comes up although COOKIE ECHO is lost twice',
  },
  {
    name: 'makes an association of a cookie that comes again',
    edits: [[stack, '!this.#byTag.has(tag) && !this.#endedTags.includes(tag) && ', '!this.#byTag.has(tag) && ']],
    file: repairs,
    title: 'a cookie makes one association, however late it comes again',
  },
  {
    name: 'keeps the association of a peer that restarted',
    edits: [[stack, 'this.#byBase.get(before)?.replaced();', '']],
    file: repairs,
    title: 'a peer that restarts at the same ports takes the place of its old association',
  },
  ...['a killed peer', 'a frozen peer', 'a peer that is cut off'].map((peer) => ({
    name: `does not notice ${peer}`,
    edits: [[pathWatch, 'if (silence >= timeout) {', 'if (silence >= 1e6 * timeout) {']],
    file: repairs,
    title: `${peer} is noticed within three heartbeats`,
  })),
  {
    name: 'asks nobody for a sign of life',
    edits: [[pathWatch, 'this.#events.onAsk(info);', '']],
    file: repairs,
    title: 'an idle association lives on, and its round trips are measured',
  },
  {
    name: 'shuts down before all is acknowledged',
    edits: [
      [
        association,
        "if (this.#transfer?.sender.isEmpty !== true) return;\n    if (base.state === 'SHUTDOWN-PENDING') {",
        "if (base.state === 'SHUTDOWN-PENDING') {",
      ],
    ],
    file: promises,
    title: 'an orderly close delivers all that was sent, on either side, whatever is lost',
  },
  {
    name: 'sends SHUTDOWN once',
    edits: [
      [
        association,
        'this.#retry.start(this.#roundTrip.rto, options.rto.max, options.maxRetransmissions, send, () => this.#silent());',
        '',
      ],
    ],
    file: repairs,
    title: 'an association ends in order although SHUTDOWN is lost twice',
  },
  {
    name: 'takes no data after its own SHUTDOWN',
    edits: [[association, " && state !== 'SHUTDOWN-SENT') return;", ') return;']],
    file: repairs,
    title: 'what the far side sent before it knew of our end arrives, and both end in order',
  },
  {
    name: 'takes an ABORT for an orderly end',
    edits: [
      [
        association,
        "this.#close(new RserpoolError('ERR_RSERPOOL_ABORTED', { detail, origin: 'remote' }));",
        'this.#close(undefined);',
      ],
    ],
    file: promises,
    title: 'an abort tells the far side why, and both ends once',
  },
  {
    name: 'does not answer packets for nobody',
    edits: [[stack, 'if (answer !== undefined) this.#socket.send(answer, from);', '']],
    file: repairs,
    title: fast,
  },
  {
    name: 'keeps the ports of associations that ended',
    edits: [[stack, 'port.endpoint.associations.length === 0) {', 'port.endpoint.associations.length < 0) {']],
    file: repairs,
    title: 'an ended association gives back its port, its endpoint and its timers',
  },
  {
    name: 'watches paths of associations that ended',
    edits: [[association, '    this.#watch.stop();\n', '']],
    file: repairs,
    title: 'an ended association gives back its port, its endpoint and its timers',
  },
];
