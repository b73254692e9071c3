/** Pool sessions, with acknowledgement and resending on. */

import { once } from 'node:events';
import { connect, type Message, OperationalScope, type Socket } from '../../lib/index.js';
import { type Ask, ask, check, echo, messages, rateOf, type Side, stream } from './runs.js';
import {
  type Addresses,
  oneWayMessages,
  outstanding,
  requestsOfRun,
  roundTripsOfRun,
  type Service,
} from './workloads.js';

async function connectPool(service: Service, scope: OperationalScope): Promise<Socket> {
  const socket = connect({ poolHandle: service, scope });
  await once(socket, 'connect');
  return socket;
}

/** Connected to all services, as an element of each pool serves them. */
export async function poolSide(addresses: Addresses): Promise<Side> {
  const scope = new OperationalScope({ registrars: addresses.registrar });
  const [sink, echoing, answering, counting] = (await Promise.all(
    (['sink', 'echo', 'answer', 'count'] as const).map((service) => connectPool(service, scope)),
  )) as [Socket, Socket, Socket, Socket];
  const request: Ask<Message> = (bytes) => answering.request(bytes);
  const bytesOf = (answer: Message): Uint8Array => answer.data;
  return {
    stream: () => stream(sink),
    echo: () => echo(echoing),
    requests: () => ask(request, bytesOf, requestsOfRun, outstanding),
    roundTrips: () => ask(request, bytesOf, roundTripsOfRun, 1, []),
    oneWay: async () => {
      const count = oneWayMessages.pool;
      const begin = performance.now();
      const report = once(counting, 'message') as Promise<[Message]>;
      await new Promise<void>((resolve, reject) => {
        let sent = 0;
        const last = (error?: Error | null): void => (error ? reject(error) : resolve());
        const send = (): void => {
          while (sent < count) {
            const bytes = messages[sent++ % messages.length] as Buffer;
            // Acknowledgements are cumulative: the last one's callback is for all.
            if (!counting.send(bytes, {}, sent === count ? last : undefined)) break;
          }
          if (sent < count) counting.once('drain', send);
        };
        send();
      });
      const [message] = await report;
      const run = rateOf(count, begin);
      check(message.data, messages, count);
      return run;
    },
  };
}
