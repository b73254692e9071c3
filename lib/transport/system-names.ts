/** Names as the system looks them up. */

import { lookup, resolveSrv } from 'node:dns';
import type { NameResolver } from './transport.js';

/** Hosts as `net` looks them up (the host table too), services by DNS. */
export const systemNames: NameResolver = {
  addresses(name, callback) {
    lookup(name, { all: true }, (error, addresses) => {
      if (error === null) callback(undefined, [...new Set(addresses.map(({ address }) => address))]);
      else callback(error, []);
    });
  },
  services(name, callback) {
    resolveSrv(name, (error, services) => {
      if (error === null) callback(undefined, services);
      else callback(error, []);
    });
  },
};
