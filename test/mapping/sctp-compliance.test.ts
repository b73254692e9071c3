import type { MappingConnection } from '../../lib/mapping/mapping.js';
import { sctpMappingAdaptation } from '../../lib/mapping/sctp/frame-stream.js';
import { acceptFrames, mappingTransport } from '../../lib/mapping/sctp/transport.js';
import { TcpMappingConnection } from '../../lib/mapping/tcp/connection.js';
import { tcpMappingOptions } from '../../lib/mapping/tcp/options.js';
import { SctpWorld, type SctpWorldOptions } from '../transport/sctp/stack-world.js';
import { type MappingBench, mappingCompliance } from './compliance.js';
import { elementSide, Owner, userSide } from './pair.js';

const port = 8000;

function bench(options: SctpWorldOptions): MappingBench {
  const world = new SctpWorld(options);
  const mapping = tcpMappingOptions();
  let user: Owner | undefined;
  let element: Owner | undefined;
  const { userProcess, elementProcess } = world;
  elementProcess.dispatch('input', () => {
    const callbacks = {
      onListening() {},
      onError() {},
      onAssociation(association: never) {
        const accepted = acceptFrames(association, (stream) => {
          const connection = new TcpMappingConnection(stream, elementProcess.clock, mapping, elementSide);
          element = new Owner(connection);
          return connection.streamHandler;
        });
        if (accepted === undefined) throw new Error('it speaks something else');
        return accepted;
      },
    };
    world.element.listen(port, callbacks as never, { adaptation: sctpMappingAdaptation });
  });
  world.run(1);
  userProcess.dispatch('input', () => {
    mappingTransport(userProcess.transport, world.user).connect(
      { host: '10.0.0.2', port, protocol: 'sctp' },
      {
        onOpen(stream) {
          const connection: MappingConnection & TcpMappingConnection = new TcpMappingConnection(
            stream,
            userProcess.clock,
            mapping,
            userSide,
          );
          user = new Owner(connection);
          return connection.streamHandler;
        },
        onError: (error) => {
          throw error;
        },
      },
    );
  });
  world.run(2000, () => user?.peer !== undefined && element?.peer !== undefined);
  if (user === undefined || element === undefined) throw new Error('not connected');
  return {
    user,
    element,
    run: (duration) => void world.run(duration),
    freezeElement: () => elementProcess.freeze(),
    thawElement: () => elementProcess.thaw(),
    killElement: () => elementProcess.kill(),
    silentDeath: 5000,
  };
}

mappingCompliance('SCTP mapping', () => bench({}));
mappingCompliance('SCTP mapping, packets out of order and twice', () =>
  bench({ seed: 3, duplication: 0.1, reordering: 0.1, latency: 0.5 }),
);
