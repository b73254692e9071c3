/** As planted-bugs.mjs: bugs that the ENRP simulation must find. */

const audits = 'lib/enrp/audits.ts';
const peerLinks = 'lib/enrp/peer-links.ts';
const handlespace = 'lib/handlespace/handlespace.ts';
const peerWatch = 'lib/enrp/peer-watch.ts';
const registrations = 'lib/registrar/registrations.ts';
const replication = 'lib/enrp/replication.ts';
const tableSessions = 'lib/enrp/table-sessions.ts';
const takeovers = 'lib/enrp/takeovers.ts';

export const plantedEnrpBugs = [
  {
    name: 'announces no removals to peers',
    edits: [[replication, "  'connectionBroken',\n", '']],
  },
  {
    name: 'takes nobody over',
    edits: [
      [
        takeovers,
        'const entries = handlespace.takeOver(target.id, serverId, { now: clock.now() });',
        'const entries: HandlespaceEntry[] = [];',
      ],
    ],
  },
  {
    name: 'does not call the elements that it takes over',
    edits: [[takeovers, '    elements.claim(entries);\n', '']],
  },
  {
    name: 'keeps what a peer does not list any more',
    edits: [[audits, 'handlespace.removeMarked(peer.id).length', '0']],
  },
  {
    name: 'never audits',
    edits: [[audits, 'if (clock.now() < peer.auditNotBefore) return;', 'if (peer.auditNotBefore >= 0) return;']],
  },
  {
    name: 'does not yield in a simultaneous takeover',
    edits: [
      [takeovers, 'if (own !== undefined && !this.#yieldsTo(from.id)) return;', 'if (own !== undefined) return;'],
    ],
  },
  {
    name: 'never notices a silent peer',
    edits: [[peerWatch, "else this.suspect(peer, 'silent');", 'else this.postpone(peer);']],
  },
  {
    name: 'forgets the checksum of elements that it takes over',
    edits: [
      [
        handlespace,
        '      entry.registeredHere = false;\n      this.#enter(entry, pool);',
        '      entry.registeredHere = false;',
      ],
    ],
  },
  {
    name: 'sends the table without what was read ahead',
    edits: [
      [
        tableSessions,
        'if (!this.#writer.add(entry.poolHandle, entry.element)) break;',
        'if (written.length > 1 || !this.#writer.add(entry.poolHandle, entry.element)) {\n        this.#advance(session);\n        break;\n      }',
      ],
    ],
  },
  {
    name: 'does not download what may have changed while a connection was broken',
    edits: [[peerLinks, 'peer.resyncDue = true;', 'peer.resyncDue = false;']],
  },
  {
    name: 'keeps the old attributes of an element that a peer announces',
    edits: [
      [
        replication,
        '    const facts = { now: clock.now(), owner, expires: owner === serverId, reason };\n',
        '    if (present?.owner === owner) return true;\n    const facts = { now: clock.now(), owner, expires: owner === serverId, reason };\n',
      ],
    ],
  },
  {
    name: 'waits for the registration life when the connection of an element breaks',
    edits: [
      [
        registrations,
        "if (owner === settings.serverId) handlespace.remove(poolHandle, identifier, 'connectionBroken');",
        'if (owner === settings.serverId) return;',
      ],
    ],
  },
];
