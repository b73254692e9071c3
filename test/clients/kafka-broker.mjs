/** As much of a Kafka broker as a producer needs: one topic with one partition, of which this broker is the leader. */

import net from 'node:net';

/** API keys and the highest version of each that is answered here (and the lowest). */
const versions = [
  [0, 0, 3], // Produce
  [3, 0, 1], // Metadata
  [18, 0, 0], // ApiVersions
];

class Answer {
  #parts = [];
  int8(value) {
    const bytes = Buffer.alloc(1);
    bytes.writeInt8(value);
    return this.bytes(bytes);
  }
  int16(value) {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return this.bytes(bytes);
  }
  int32(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.bytes(bytes);
  }
  int64(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return this.bytes(bytes);
  }
  string(text) {
    return this.int16(Buffer.byteLength(text)).bytes(Buffer.from(text));
  }
  array(items, write) {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }
  bytes(bytes) {
    this.#parts.push(bytes);
    return this;
  }
  get buffer() {
    return Buffer.concat(this.#parts);
  }
}

const topic = 'work';

const answers = {
  0: (answer) =>
    answer
      .array([topic], (name) =>
        answer.string(name).array([0], (partition) => answer.int32(partition).int16(0).int64(1).int64(-1)),
      )
      .int32(0),
  3: (answer, port) =>
    answer
      // One broker, whose address says nothing: the pool is where it is.
      .array([0], (id) => answer.int32(id).string('127.0.0.1').int32(port).int16(-1))
      .int32(0)
      .array([topic], (name) =>
        answer
          .int16(0)
          .string(name)
          .int8(0)
          .array([0], (partition) =>
            answer
              .int16(0)
              .int32(partition)
              .int32(0)
              .array([0], (id) => answer.int32(id))
              .array([0], (id) => answer.int32(id)),
          ),
      ),
  18: (answer) => answer.int16(0).array(versions, ([key, least, most]) => answer.int16(key).int16(least).int16(most)),
};

export function createKafkaBroker() {
  const server = net.createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const request = rest.subarray(4, 4 + rest.readInt32BE(0));
        rest = rest.subarray(4 + request.length);
        const answer = new Answer().int32(request.readInt32BE(4));
        const write = answers[request.readInt16BE(0)];
        if (write === undefined) {
          socket.destroy();
          return;
        }
        const body = write(answer, server.address().port).buffer;
        socket.write(new Answer().int32(body.length).bytes(body).buffer);
      }
    });
  });
  return server;
}
