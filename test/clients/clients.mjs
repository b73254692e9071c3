/**
 * Each client as its own documentation has it used, and the one hook through which it reaches a pool. `open(pool, port)`
 * takes either a pool (`pool.scope`, `pool.poolHandle`) or the port of one server, and gives `ask()`, one small piece of
 * work that resolves when the server has done it, and `close()`. An `ask` that rejects is what the user sees.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import Redis, { AbstractConnector } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { connectAsync, MqttClient } from 'mqtt';
import mysql from 'mysql2/promise';
import nodemailer from 'nodemailer';
import pg from 'pg';
import ssh2 from 'ssh2';
import { fetch, RetryAgent, Agent as UndiciAgent } from 'undici';
import WebSocket from 'ws';
import { Agent, connect, connector, HttpsAgent, Socket } from '../../dist/lib/index.js';
import { mariadb, mosquitto, own, postgres, redis } from './processes.mjs';

const host = '127.0.0.1';

/** The open connections to pools of those clients that have one at a time, to tell which server they use. */
export const poolSockets = new Set();

function watched(socket) {
  poolSockets.add(socket);
  return socket.once('close', () => poolSockets.delete(socket));
}

const plainSocket = (pool) => watched(connect({ ...pool, mode: 'nameservice' }));
const certificate = readFileSync(new URL('certificate/certificate.pem', import.meta.url));

function get(module, options) {
  return new Promise((resolve, reject) => {
    const request = module.get(options, (response) => {
      response.resume();
      response.on('end', resolve);
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** For clients that are done with when their connection is: the next piece of work opens another one, as users do. */
function reopening(open) {
  let current;
  return {
    async ask() {
      current ??= open();
      try {
        const opened = await current;
        await opened.ask();
      } catch (error) {
        current?.then((opened) => opened.close?.()).catch(() => {});
        current = undefined;
        throw error;
      }
    },
    async close() {
      const opened = await current?.catch(() => undefined);
      await opened?.close?.();
    },
  };
}

export const clients = [
  {
    name: 'http',
    hook: 'agent',
    server: own('http'),
    open(pool, port) {
      const agent = pool === undefined ? new http.Agent({ keepAlive: true }) : new Agent(pool);
      return { ask: () => get(http, { agent, host, port }), close: () => agent.destroy() };
    },
  },
  {
    name: 'https',
    hook: 'agent',
    server: own('https'),
    open(pool, port) {
      const trust = { ca: certificate, servername: 'web' };
      const agent =
        pool === undefined ? new https.Agent({ keepAlive: true, ...trust }) : new HttpsAgent({ ...pool, ...trust });
      return { ask: () => get(https, { agent, host, port }), close: () => agent.destroy() };
    },
  },
  {
    name: 'undici (fetch)',
    hook: 'connect',
    server: own('http'),
    open(pool, port) {
      const agent = new UndiciAgent(pool === undefined ? {} : { connect: connector(pool) });
      const dispatcher = new RetryAgent(agent, { minTimeout: 50, maxRetries: 3 });
      return {
        ask: async () => (await fetch(`http://${host}:${port ?? 80}/`, { dispatcher })).text(),
        close: () => agent.destroy(),
      };
    },
  },
  {
    name: 'http2',
    hook: 'createConnection',
    server: own('http2'),
    open: (pool, port) =>
      reopening(async () => {
        const session = http2.connect(
          `http://${host}:${port ?? 80}`,
          pool === undefined ? {} : { createConnection: () => plainSocket(pool) },
        );
        let failure;
        session.on('error', (error) => {
          failure = error;
        });
        return {
          ask: () =>
            new Promise((resolve, reject) => {
              const stream = session.request({ ':path': '/' });
              let answered = false;
              stream.on('response', () => {
                answered = true;
              });
              stream.on('error', reject);
              stream.on('close', () => (answered ? resolve() : reject(failure ?? new Error('the stream closed'))));
              stream.resume();
            }),
          close: () => session.destroy(),
        };
      }),
  },
  {
    name: 'ws',
    hook: 'createConnection',
    server: own('ws'),
    open: (pool, port) =>
      reopening(async () => {
        const socket = new WebSocket(
          `ws://${host}:${port ?? 80}/`,
          pool === undefined ? {} : { createConnection: () => plainSocket(pool) },
        );
        await once(socket, 'open');
        socket.on('error', () => {});
        return {
          ask: () =>
            new Promise((resolve, reject) => {
              const onClose = () => reject(new Error('the WebSocket closed'));
              socket.once('close', onClose);
              socket.once('message', () => {
                socket.removeListener('close', onClose);
                resolve();
              });
              socket.send('work');
            }),
          close: () => socket.terminate(),
        };
      }),
  },
  {
    name: 'pg',
    hook: 'stream',
    server: postgres,
    open(pool, port) {
      const stream = pool === undefined ? {} : { stream: () => watched(new Socket({ ...pool, mode: 'nameservice' })) };
      const connections = new pg.Pool({ host, port, user: 'test', database: 'postgres', max: 1, ...stream });
      connections.on('error', () => {});
      return { ask: () => connections.query('SELECT 1'), close: () => connections.end() };
    },
  },
  {
    name: 'mysql2',
    hook: 'stream',
    server: mariadb,
    open(pool, port) {
      const stream = pool === undefined ? {} : { stream: () => plainSocket(pool) };
      const connections = mysql.createPool({ host, port, user: 'root', connectionLimit: 1, ...stream });
      return { ask: () => connections.query('SELECT 1'), close: () => connections.end() };
    },
  },
  {
    name: 'ioredis',
    hook: 'Connector',
    server: redis,
    open(pool, port) {
      class PoolConnector extends AbstractConnector {
        async connect() {
          this.connecting = true;
          this.stream = plainSocket(pool);
          return this.stream;
        }
      }
      const client = new Redis({ host, port, ...(pool === undefined ? {} : { Connector: PoolConnector }) });
      client.on('error', () => {});
      return { ask: () => client.incr('work'), close: () => client.disconnect() };
    },
  },
  {
    name: 'mqtt',
    hook: 'streamBuilder',
    server: mosquitto,
    async open(pool, port) {
      const client =
        pool === undefined
          ? await connectAsync(`mqtt://${host}:${port}`)
          : new MqttClient(() => plainSocket(pool), { protocolVersion: 4, reconnectPeriod: 1000 });
      client.on('error', () => {});
      return { ask: () => client.publishAsync('work', 'done', { qos: 1 }), close: () => client.end(true) };
    },
  },
  {
    name: 'kafkajs',
    hook: 'socketFactory',
    server: own('kafka'),
    async open(pool, port) {
      const kafka = new Kafka({
        brokers: [`${host}:${port ?? 9092}`],
        logLevel: logLevel.NOTHING,
        ...(pool === undefined
          ? {}
          : { socketFactory: ({ onConnect }) => plainSocket(pool).once('connect', onConnect) }),
      });
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      return {
        ask: () => producer.send({ topic: 'work', messages: [{ value: 'done' }] }),
        close: () => producer.disconnect(),
      };
    },
  },
  {
    name: 'nodemailer',
    hook: 'getSocket',
    server: own('smtp'),
    open(pool, port) {
      const transport = nodemailer.createTransport({
        host,
        port: port ?? 25,
        ignoreTLS: true,
        ...(pool === undefined
          ? {}
          : {
              getSocket(_, callback) {
                const socket = plainSocket(pool);
                socket.once('error', callback);
                socket.once('connect', () => {
                  socket.removeListener('error', callback);
                  callback(null, { connection: socket });
                });
              },
            }),
      });
      const mail = { from: 'a@example.com', to: 'b@example.com', subject: 'work', text: 'done' };
      return { ask: () => transport.sendMail(mail), close: () => transport.close() };
    },
  },
  {
    name: 'ssh2',
    hook: 'sock',
    server: own('ssh'),
    open: (pool, port) =>
      reopening(async () => {
        const client = new ssh2.Client();
        const where = pool === undefined ? { host, port } : { sock: plainSocket(pool) };
        client.connect({ ...where, username: 'test', password: 'test' });
        await once(client, 'ready');
        let failure;
        client.on('error', (error) => {
          failure = error;
        });
        return {
          ask: () =>
            new Promise((resolve, reject) => {
              const onClose = () => reject(failure ?? new Error('the connection closed'));
              client.once('close', onClose);
              client.exec('work', (error, stream) => {
                if (error) reject(error);
                else
                  stream
                    .on('exit', () => {
                      client.removeListener('close', onClose);
                      resolve();
                    })
                    .resume();
              });
            }),
          close: () => client.destroy(),
        };
      }),
  },
];
