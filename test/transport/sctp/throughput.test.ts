/** 10 MiB over a link that loses and delays: the table of docs/sctp.md is what these print. */

import test from 'ava';
import { SctpOwner, SctpWorld } from './stack-world.js';

const total = 10 * 1024 * 1024;

for (const size of [1024, 16 * 1024, 1024 * 1024]) {
  for (const loss of [0, 0.01, 0.05]) {
    for (const latency of [0, 20]) {
      test(`10 MiB in messages of ${size} bytes arrive in order, once, with loss ${loss} and ${latency} ms`, (t) => {
        const world = new SctpWorld({ seed: 7, loss, latency });
        let user: SctpOwner | Error | undefined;
        world.connect((result) => {
          user = result;
        });
        world.run(9000, () => user !== undefined && world.accepted.length > 0);
        if (!(user instanceof SctpOwner)) throw user ?? new Error('not open');
        const { association } = user;
        const count = total / size;
        const element = world.accepted[0]!;
        let next = 0;
        let wrong = 0;
        element.onArrival = ({ data }) => {
          const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
          if (data.length !== size || view.getUint32(0) !== next++ || data[size - 1] !== (next & 0xff)) wrong++;
        };
        world.userProcess.dispatch('input', () => {
          for (let i = 0; i < count; i++) {
            const data = new Uint8Array(size);
            new DataView(data.buffer).setUint32(0, i);
            data[size - 1] = (i + 1) & 0xff;
            association.send(data, { streamId: 0, ppid: 0 });
          }
          association.shutdown();
        });
        const { closes } = user;
        t.is(closes, 0);
        const took = world.run(600_000, () => (user as SctpOwner).closes > 0 && element.closes > 0);
        t.is(next, count);
        t.is(wrong, 0);
        t.deepEqual([user.acknowledged, user.error, element.error], [count, undefined, undefined]);
        t.log(
          `${size} bytes, loss ${loss}, ${latency} ms: ${(took / 1000).toFixed(2)} s, ${world.datagrams.sent} packets`,
        );
      });
    }
  }
}
