/**
 * The fractal generator of the reference implementation (FractalGeneratorPool, PPID 32): a user names an area, an element sends
 * the colours of its points in order, and an end.
 *
 *    Parameter: type 1, flags, length (16 bits), width, height, maximum of iterations, algorithm (32 bits each),
 *               real and imaginary minimum, real and imaginary maximum, exponent (64-bit floating point each)
 *    Data:      type 2, flags, length (16 bits), first x, first y, points (32 bits each), up to 324 colours (32 bits each);
 *               the end has no points, and 0xffffffff twice
 */

import rserpool, { type OperationalScope, type Server, type Socket } from '../../lib/index.js';

export const fractalPool = 'FractalGeneratorPool';
export const fractalPpid = 32;

const parameterLength = 60;
const dataLength = 16;
const mostPoints = 324;
const nowhere = 0xffff_ffff;
/** What one user may ask for. */
const largestImage = 4096;
const mostIterations = 100_000;

export interface FractalParameter {
  readonly width: number;
  readonly height: number;
  readonly maxIterations: number;
  readonly minimum: readonly [real: number, imaginary: number];
  readonly maximum: readonly [real: number, imaginary: number];
}

function encodeParameter({ width, height, maxIterations, minimum, maximum }: FractalParameter): Uint8Array {
  const message = Buffer.alloc(parameterLength);
  message[0] = 1;
  message.writeUInt16BE(parameterLength, 2);
  for (const [i, value] of [width, height, maxIterations, 1].entries()) message.writeUInt32BE(value, 4 + 4 * i);
  for (const [i, value] of [...minimum, ...maximum, 2].entries()) message.writeDoubleBE(value, 20 + 8 * i);
  return message;
}

function decodeParameter(bytes: Uint8Array): FractalParameter | undefined {
  const message = Buffer.from(bytes);
  if (message.length !== parameterLength || message[0] !== 1) return undefined;
  const [width, height, maxIterations] = [4, 8, 12].map((at) => message.readUInt32BE(at)) as [number, number, number];
  if (width > largestImage || height > largestImage || maxIterations > mostIterations) return undefined;
  const minimum = [message.readDoubleBE(20), message.readDoubleBE(28)] as const;
  const maximum = [message.readDoubleBE(36), message.readDoubleBE(44)] as const;
  return { width, height, maxIterations, minimum, maximum };
}

/** How many steps a point takes to leave the circle of radius 2. */
export function mandelbrot(real: number, imaginary: number, maxIterations: number): number {
  let [a, b, steps] = [0, 0, 0];
  while (steps < maxIterations && a * a + b * b < 4) {
    [a, b] = [a * a - b * b + real, 2 * a * b + imaginary];
    steps++;
  }
  return steps;
}

function colour({ width, height, maxIterations, minimum, maximum }: FractalParameter, point: number): number {
  const [x, y] = [point % width, Math.floor(point / width)];
  const real = minimum[0] + ((maximum[0] - minimum[0]) * x) / width;
  const imaginary = minimum[1] + ((maximum[1] - minimum[1]) * y) / height;
  return mandelbrot(real, imaginary, maxIterations);
}

function encodeData(first: readonly [number, number], colours: readonly number[]): Uint8Array {
  const message = Buffer.alloc(dataLength + 4 * colours.length);
  message[0] = 2;
  message.writeUInt16BE(message.length, 2);
  for (const [i, value] of [...first, colours.length, ...colours].entries()) message.writeUInt32BE(value, 4 + 4 * i);
  return message;
}

/** An element that draws Mandelbrot sets. */
export function serveFractals(listen: object): Server {
  const server = rserpool.createServer((socket: Socket) => {
    const send = (data: Uint8Array): boolean => socket.send(data, { ppid: fractalPpid });
    socket.on('message', (message) => {
      const parameter = decodeParameter(message.data);
      message.acknowledge();
      if (parameter === undefined) return;
      const points = parameter.width * parameter.height;
      let point = 0;
      const draw = (): void => {
        let room = true;
        while (room && point < points && !socket.destroyed) {
          const first = [point % parameter.width, Math.floor(point / parameter.width)] as const;
          const end = Math.min(points, point + mostPoints);
          const colours: number[] = [];
          while (point < end) colours.push(colour(parameter, point++));
          room = send(encodeData(first, colours));
        }
        if (point < points) socket.once('drain', draw);
        else send(encodeData([nowhere, nowhere], []));
      };
      draw();
    });
  });
  server.listen({ mappings: ['sctp'], ...listen, poolHandle: fractalPool });
  return server;
}

/** Asks the pool for an image; resolves with its points' iterations, row by row. */
export function drawFractal(scope: OperationalScope, parameter: FractalParameter): Promise<Uint32Array> {
  return new Promise((resolve, reject) => {
    const image = new Uint32Array(parameter.width * parameter.height);
    const socket = rserpool.connect({ poolHandle: fractalPool, scope, mappings: ['sctp'] });
    socket.on('error', reject);
    socket.on('message', (message) => {
      const data = Buffer.from(message.data);
      message.acknowledge();
      if (data.length < dataLength || data[0] !== 2) return;
      const points = data.readUInt32BE(12);
      if (points === 0) {
        resolve(image);
        socket.end();
        return;
      }
      const first = data.readUInt32BE(8) * parameter.width + data.readUInt32BE(4);
      for (let i = 0; i < points && first + i < image.length; i++)
        image[first + i] = data.readUInt32BE(dataLength + 4 * i);
    });
    socket.send(encodeParameter(parameter), { ppid: fractalPpid });
  });
}
