/**
 * Repair: how the package's endpoint answers INIT and COOKIE ECHO. It takes its tags from us, so that none is used twice; keeps in
 * the cookie only what is needed; lets a cookie make one association and not a second one when it comes again late; and says
 * what is spoken above (RFC 5061 section 4.2.6).
 */

import type Association from 'sctp/lib/association';
import type Endpoint from 'sctp/lib/endpoint';
import type { InitChunk } from 'sctp/lib/endpoint';
import { packageClasses } from './package-classes.js';

export interface EndpointOwner {
  /** Whether new associations are wanted. */
  isListening(): boolean;
  /** A verification tag that is not in use and was not of late. */
  freeTag(): number;
  /** Whether the cookie that was made with this tag may become an association. */
  mayAccept(tag: number): boolean;
  /** The association was made and has read nothing yet. `source`: the name of the peer's UDP address. */
  onAccepted(base: Association, cookie: Buffer, source: string): void;
}

/** Addresses and reports of unknown parameters that are kept of an INIT: it may have thousands. */
const most = 8;

export function repairEndpoint(endpoint: Endpoint, adaptation: number | undefined, owner: EndpointOwner): void {
  const { Association, Chunk } = packageClasses();
  endpoint.onInit = (chunk, source, _destination, header) => {
    if (!owner.isListening()) return;
    const tag = owner.freeTag();
    const answer = new Chunk('init_ack', {
      initiate_tag: tag,
      initial_tsn: tag,
      a_rwnd: endpoint.a_rwnd,
      state_cookie: endpoint.createCookie(keptOf(chunk), header, tag),
      outbound_streams: Math.min(endpoint.OS, chunk.inbound_streams),
      inbound_streams: endpoint.MIS,
      ...(chunk.errors === undefined ? {} : { unrecognized_parameter: chunk.errors.slice(0, most) }),
      ...adaptationParameter(adaptation),
    });
    endpoint._sendPacket(source, header.src_port, chunk.initiate_tag, [answer.toBuffer()]);
  };
  endpoint.onCookieEcho = (chunk, source, _destination, header) => {
    const facts = endpoint.validateCookie(chunk.cookie, header);
    if (facts === undefined || !owner.isListening() || !owner.mayAccept(facts.my_tag)) return undefined;
    const base = new Association(endpoint, {
      remoteAddress: source,
      remotePort: facts.src_port,
      my_tag: facts.my_tag,
      OS: endpoint.OS,
      MIS: endpoint.MIS,
    });
    owner.onAccepted(base, chunk.cookie, source);
    base.acceptRemote(Chunk.fromBuffer(facts.initChunk) as unknown as InitChunk);
    return base;
  };
}

/** The Adaptation Layer Indication, as the package takes it; nothing where there is nothing to say. */
export function adaptationParameter(adaptation: number | undefined): { readonly adaptation_layer_indication?: Buffer } {
  if (adaptation === undefined) return {};
  const value = Buffer.alloc(4);
  value.writeUInt32BE(adaptation);
  return { adaptation_layer_indication: value };
}

function keptOf(chunk: InitChunk): InitChunk {
  const { initiate_tag, a_rwnd, outbound_streams, inbound_streams, initial_tsn } = chunk;
  const { ipv4_address, adaptation_layer_indication } = chunk;
  return {
    initiate_tag,
    a_rwnd,
    outbound_streams,
    inbound_streams,
    initial_tsn,
    ...(ipv4_address === undefined ? {} : { ipv4_address: ipv4_address.slice(0, most) }),
    ...(adaptation_layer_indication?.length === 4 ? { adaptation_layer_indication } : {}),
  };
}
