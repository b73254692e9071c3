/** `node servers.mjs KIND`: a server of that kind on a free port of loopback. Prints the port; answers name it. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { SMTPServer } from 'smtp-server';
import ssh2 from 'ssh2';
import { WebSocketServer } from 'ws';
import { createKafkaBroker } from './kafka-broker.mjs';

const pem = (name) => readFileSync(new URL(`certificate/${name}.pem`, import.meta.url));
const certificate = () => ({ key: pem('key'), cert: pem('certificate') });
const answer = (request, response) => response.end(String(request.socket.localPort));

const kinds = {
  http: () => http.createServer(answer),
  https: () => https.createServer(certificate(), answer),
  http2() {
    const server = http2.createServer();
    server.on('stream', (stream) => stream.end(String(stream.session.socket.localPort)));
    return server;
  },
  ws() {
    const server = http.createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket, request) => {
      socket.on('message', () => socket.send(String(request.socket.localPort)));
    });
    return server;
  },
  smtp: () =>
    new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, session, callback) {
        stream.resume();
        stream.on('end', () => callback(null, `taken ${createHash('sha1').update(session.id).digest('hex')}`));
      },
    }),
  ssh() {
    const keys = ssh2.utils.generateKeyPairSync('ed25519');
    return new ssh2.Server({ hostKeys: [keys.private] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (context) => context.accept());
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec) => {
          const stream = acceptExec();
          stream.write('done');
          stream.exit(0);
          stream.end();
        });
      });
    });
  },
  kafka: createKafkaBroker,
};

const server = kinds[process.argv[2]]();
const listener = server.listen(0, '127.0.0.1', () => {
  console.log((server.address?.() ?? listener.address()).port);
});
