/** The parts of the npm package `sctp` that we build on, loaded when SCTP is first used: they take 30 ms. */

import { createRequire } from 'node:module';
import type Association from 'sctp/lib/association';
import type Chunk from 'sctp/lib/chunk';
import type Endpoint from 'sctp/lib/endpoint';
import type Packet from 'sctp/lib/packet';

export interface PackageClasses {
  readonly Association: typeof Association;
  readonly Chunk: typeof Chunk;
  readonly Endpoint: typeof Endpoint;
  readonly Packet: typeof Packet;
}

let loaded: PackageClasses | undefined;

/** The package's classes. Its main file is not loaded: it would bring sockets of its own, and raw ones. */
export function packageClasses(): PackageClasses {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    loaded = {
      Association: require('sctp/lib/association'),
      Chunk: require('sctp/lib/chunk'),
      Endpoint: require('sctp/lib/endpoint'),
      Packet: require('sctp/lib/packet'),
    };
  }
  return loaded;
}
