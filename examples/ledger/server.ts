/**
 * Keeps an account for each session, in memory alone: what it would lose by dying, its user carries to the next element
 * in a signed cookie. Start as many as you like: LEDGER_SECRET='at least 16 bytes' node dist/examples/ledger/server.js
 */

import { createServer, type Message } from '../../lib/index.js';

interface Account {
  balance: number;
  /** The sequence of the last transaction that was booked: one that comes again is not booked again. */
  booked: number;
}

const server = createServer((socket) => {
  // A cookie that another element of the pool did not sign never gets here.
  const account: Account =
    socket.cookie === undefined ? { balance: 0, booked: 0 } : (JSON.parse(socket.cookie.toString()) as Account);
  socket.on('message', (message: Message) => {
    if (message.sequence > account.booked) {
      account.balance += Number(Buffer.from(message.data).toString());
      account.booked = message.sequence;
      // Before the answer: whoever has that has this state too.
      socket.setCookie(Buffer.from(JSON.stringify(account)));
    }
    message.reply(`${account.balance}`);
  });
});

server.listen({ poolHandle: 'ledger', cookieSecret: process.env.LEDGER_SECRET ?? '', handOverOn: 'SIGTERM' });
server.on('registered', () => console.log(`serving as ${server.peIdentifier}`));
